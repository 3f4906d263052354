"""The gateway in front of the in-memory API server, and the objects that its tests give to it."""
