"""Every decision of the operator, as pure functions of plain data. The time is an argument.

- `objects`: resource → the objects that should exist, and what has to be written.
- `verdicts`: pods → what is to be said of each service, by one table of rules.
- `rollout`: what was seen, previous status → next status, and when to look again.
- `tasks`: the same for runs of tasks.
"""
