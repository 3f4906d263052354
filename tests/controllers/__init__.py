"""Mill beside real controllers that people run: ingress, metrics, monitoring."""
