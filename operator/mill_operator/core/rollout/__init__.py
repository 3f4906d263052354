"""Observations → what the status tells of a rollout.

- `beginning`: how a rollout begins, and how the one before it becomes history.
- `advance`: previous status, observations, now → next status, and when to look again.
- `conditions`: status → Ready, Reconciling, Stalled.
- `failing`: passes that fail one after the other → Stalled, and the end of a rollout that cannot be judged.
- `warnings`: what a spec breaks that had been accepted before → the status' warnings.
- `pace`: how soon a changed status is written.
- `announcements`: status before and after → log lines and Kubernetes Events.
"""
