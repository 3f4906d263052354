"""Kubernetes as operator and gateway see it: plain dicts over HTTP, and one watch per kind.

- `resources`: the kinds that we use, and where they live.
- `calls`: requests in the words of access rules.
- `client`: one small client over `kubernetes.aio`.
- `reflector`: list, watch, and a store of projections that is never behind without noticing.
"""
