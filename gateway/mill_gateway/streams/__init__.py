"""Streams of server-sent events, a file for each kind."""
