"""Whether a process that lives on watches is well: what its probes answer."""

from collections.abc import Iterable
from typing import Any

from mill_kube.reflector import Reflector


def dead_watch(watches: Iterable[Reflector[Any]], now: float, deadline: float) -> str | None:
    """Say which watch has not heard anything for longer than the deadline.

    One that is only quiet has: it is begun anew long before.
    """
    quietest = min(watches, key=lambda each: each.last_heard)
    silent = now - quietest.last_heard
    return (
        f"the watch of {quietest.resource.full_name} has heard nothing for {silent:.0f} s"
        if silent > deadline
        else None
    )


def unfilled(watches: Iterable[Reflector[Any]]) -> list[str]:
    """Return the kinds of which there is no first list yet."""
    return [each.resource.full_name for each in watches if not each.synced.is_set()]


def unfilled_watch(watches: Iterable[Reflector[Any]]) -> str | None:
    """Say which watches have no first list yet."""
    waiting = unfilled(watches)
    return f"waiting for the first list of {', '.join(waiting)}" if waiting else None
