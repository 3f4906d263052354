"""The Kubernetes client of operator and gateway: plain dicts over HTTP, and one watch for each kind."""
