"""Inputs that nobody would write, for what reads the texts and objects of others."""
