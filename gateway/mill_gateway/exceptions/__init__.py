"""Failures of requests: one class for each, with a stable `code` that programs compare; a module for each subject.

None of them knows HTTP: `errors` has the table of statuses. A code is never renamed; docs/api.md lists all of them.
"""
