"""Liveness and readiness of a process that depends on watches, for the answers of its probes."""

from collections.abc import Iterable
from typing import Any

from mill_kube.reflector import Reflector


def dead_watch(watches: Iterable[Reflector[Any]], now: float, deadline: float) -> str | None:
    """Return a message about the watch that received nothing for longer than `deadline` seconds, or None.

    A watch of objects that do not change is not dead: it stalls, and its reflector lists again, long before.
    """
    quietest = min(watches, key=lambda each: each.last_heard)
    silent = now - quietest.last_heard
    return (
        f"the watch of {quietest.resource.full_name} has heard nothing for {silent:.0f} s"
        if silent > deadline
        else None
    )


def unsynced_kinds(watches: Iterable[Reflector[Any]]) -> list[str]:
    """Return the kinds whose first list is not complete."""
    return [each.resource.full_name for each in watches if not each.synced.is_set()]


def unsynced_watch(watches: Iterable[Reflector[Any]]) -> str | None:
    """Return a message about the watches whose first list is not complete, or None."""
    waiting = unsynced_kinds(watches)
    return f"waiting for the first list of {', '.join(waiting)}" if waiting else None
