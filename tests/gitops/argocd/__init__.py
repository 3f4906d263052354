"""A real Argo CD, syncing MillDeployments from Git to the local cluster: `make test-argocd`."""
