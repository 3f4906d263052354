"""Observations and the previous status to the next status of a rollout."""
