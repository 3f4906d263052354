"""Pydantic's findings in words."""

from collections.abc import Mapping
from typing import Any


def problem(found: Mapping[str, Any]) -> str:
    """Say where something is wrong and what is allowed there, never what was sent: `query.tail: input should be …`."""
    message = str(found["msg"])
    return f"{'.'.join(map(str, found['loc']))}: {message[:1].lower()}{message[1:]}"
