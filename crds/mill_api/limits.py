"""Limits that the command line checks before it sends anything, without the models of the spec."""

from typing import Final

MILL_FILE_BYTES: Final = 256 * 1024
"""Maximum bytes of a `.mill` file: the limit of `kubectl apply` for a resource, which it becomes."""
