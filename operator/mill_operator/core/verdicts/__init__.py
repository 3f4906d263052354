"""Pods → what is to be said of a service.

- `facts`, `containers`, `answers`: what we keep of pods, of their containers, and of what was looked up about them.
- `rules`: **the table of everything that can be wrong**; its predicates are in `evidence` (a container) and
  `surroundings` (what is around it), and look at a `subject`.
- `findings`: subjects and rules → what was found, since when, and from when on it is a failure.
- `judge`: one service's pods → observation. `views` gives it each pod as it should be seen.
- `questions`: what is worth looking up.
- `redact`, `words`: credentials out of texts, and texts short.
"""
