"""Tests with a Docker engine of our own: `make test-docker`, `make test-kind`."""
