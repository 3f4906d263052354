"""The operator: turns MillDeployments into native objects, judges every rollout, writes the verdict into the status.

`core` decides (pure functions of plain data, no client and no clock); everything beside it carries out.
"""
