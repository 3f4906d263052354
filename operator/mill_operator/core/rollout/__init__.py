"""Observations → what the status tells of a rollout.

- `beginning`: how a rollout begins, and how the one before it becomes history.
- `advance`: previous status, observations, now → next status, and when to look again.
- `conditions`: status → Ready, Reconciling, Stalled.
- `pace`: how soon a changed status is written.
- `announcements`: status before and after → log lines and Kubernetes Events.
"""
