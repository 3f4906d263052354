"""The gateway: mill's HTTP API in front of Kubernetes. Stateless; one watch feeds every stream."""
