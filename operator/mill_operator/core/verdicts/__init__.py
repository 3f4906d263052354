"""Observed pods to the verdict of a service, by one table of rules."""
