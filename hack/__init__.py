"""What a developer runs: the local cluster, the image builds and the benches. Nothing here is installed with Mill."""
