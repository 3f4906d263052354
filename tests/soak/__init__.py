"""Verdicts counted over many rollouts: `make soak-settle`. Nothing here fails; the counts are in docs/verdicts.md."""
