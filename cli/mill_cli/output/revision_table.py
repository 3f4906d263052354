"""Revisions as people read them: the table of `mill history`, and one revision in a line."""

from collections.abc import Sequence
from typing import Any, Final

from mill_cli.output.ages import age
from mill_cli.output.columns import Columns
from mill_cli.output.text import one_line

MOST_CHANGES: Final = 5
"""Changes that one revision names in the table."""


def revision_columns(now: float | None) -> Columns:
    """Return the columns of revisions. `now` is the gateway's time in seconds since 1970."""

    def cells(revision: Any) -> Sequence[str]:
        number, created = str(revision["revision"]), age(revision["created_at"], now)
        return number, created, author(revision), _changes(revision), str(revision["summary"])

    return Columns(("REVISION", "AGE", "BY", "CHANGED", "RESULT"), cells)


def author(revision: Any) -> str:
    """Return who asked for a revision; empty if that is not known."""
    by = revision.get("by")
    if not isinstance(by, str):
        return ""
    return by if revision.get("verified") is True else f"{by} (unverified)"


def in_words(revision: Any, now: float | None) -> str:
    """Return a revision in a line: `revision 3 (2h ago, by alice, from shop.mill): succeeded`."""
    since, by, source = age(revision.get("created_at"), now), author(revision), revision.get("source")
    known = [
        f"{since} ago" if since else "",
        f"by {by}" if by else "",
        f"from {source}" if isinstance(source, str) else "",
    ]
    about = f" ({', '.join(filter(None, known))})" if any(known) else ""
    return one_line(f"revision {revision.get('revision')}{about}: {revision.get('summary')}")


def digests(revision: Any) -> list[str]:
    """Return the digest of each service's image, as it ran."""
    found = revision.get("digests")
    return [one_line(f"{name}: {digest}") for name, digest in found.items()] if isinstance(found, dict) else []


def _changes(revision: Any) -> str:
    found = revision.get("changed")
    changes = [str(each) for each in found] if isinstance(found, list) else []
    more = len(changes) - MOST_CHANGES
    shown = "; ".join(changes[:MOST_CHANGES]) + (f"; and {more} more" if more > 0 else "")
    back = revision.get("rollback")
    start = f"rollback to {back}" if isinstance(back, int) else ""
    return ": ".join(filter(None, [start, shown]))
