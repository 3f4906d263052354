"""The API of Mill on Kubernetes: the MillDeployment resource, its rules, its names and its events."""
