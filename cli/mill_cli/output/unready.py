"""What the health checks of a service report that is starting. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from mill_cli.output.text import one_line

_LONGEST: Final = 300
"""Characters that are shown of it."""


def unready_text(status: Mapping[str, Any]) -> str:
    """Return what the health checks of a starting service report, by its status; empty while that is normal."""
    found = status.get("healthCheck") if status.get("state") == "Starting" else None
    text = one_line(found) if isinstance(found, str) else ""
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return f"not ready: health check: {cut}" if cut else ""
