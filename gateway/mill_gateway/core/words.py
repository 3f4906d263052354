"""Pydantic's findings in words."""

from collections.abc import Mapping
from typing import Any


def problem(found: Mapping[str, Any]) -> str:
    """Say where something is wrong and what is allowed there, never what was sent: `query.tail: input should be …`."""
    first, _, rest = str(found["msg"]).partition(" ")
    message = f"{first if first.isupper() else first.lower()} {rest}".rstrip()
    return f"{'.'.join(map(str, found['loc']))}: {message}"
