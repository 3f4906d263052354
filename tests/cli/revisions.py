"""Revisions as the gateway lists them."""

from typing import Any

NOW = "Sat, 31 Jan 2026 12:00:00 GMT"
"""The gateway's time, some seconds after the last of them."""


def revision(number: int, at: str, **more: Any) -> dict[str, Any]:
    """Return a revision as the gateway lists it."""
    known = {"by": None, "verified": False, "source": None, "rollback": None, "changed": [], "digests": {}}
    return {"revision": number, "created_at": f"2026-01-31T{at}Z", **known, "summary": "succeeded", **more}
