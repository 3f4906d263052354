"""Who may have which host and path: what namespaces permit, and which Ingress has a route."""
