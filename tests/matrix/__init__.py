"""The tests whose outcome depends on the version of Kubernetes or of the container runtime, on pairs of both.

`make test-matrix` runs them; the counts are in docs/compatibility.md.
"""
