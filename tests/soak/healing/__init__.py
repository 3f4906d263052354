"""Rollouts during which something fails for a while and heals by itself: `make soak-healing`. All must succeed."""
