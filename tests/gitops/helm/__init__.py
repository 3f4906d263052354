"""Helm 4 and Helm 3 on the real cluster: `make test-helm`."""
