"""Tests of Mill's image that need root and no cluster: `make test-arm64`."""
