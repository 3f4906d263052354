"""Verdicts counted over many rollouts: `make soak-settle`, `make soak-healing`.

Nothing here fails; the counts are in docs/verdicts.md.
"""
