"""Upgrades from the release before and back, with requests and streams meanwhile: `make test-upgrade`."""
