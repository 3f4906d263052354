"""Answers that go on: server-sent events. A file for each kind of stream."""
