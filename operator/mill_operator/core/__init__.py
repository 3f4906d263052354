"""Every decision of the operator, as pure functions of plain data. The time is an argument.

- `desired`: resource → the objects that should exist.
- `plan`: what should exist, what does → what to apply and what to delete.
- `facts`: a pod or another object → the little that we keep of it.
- `rules`: the table of everything that can be wrong with a pod.
- `judge`: one service's pods → observation, with what the rules found.
- `advance`: previous status, observations, now → next status and when to look again.
- `conditions`: status → Ready, Reconciling, Stalled.
"""
