"""Projections of the objects that the operator watches and looks up, as plain data."""
