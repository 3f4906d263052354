"""Runs of tasks: judged by the same table as services, and part of no rollout."""
