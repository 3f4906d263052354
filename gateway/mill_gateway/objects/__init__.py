"""What is kept of the cluster's objects, a file for each kind: a projection and the function that makes it."""
