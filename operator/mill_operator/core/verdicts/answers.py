"""What is looked up where a pod's status is silent: events of one object, and nodes. Plain data for the rules.

Events are never watched: they carry no labels, and there are very many of them. Nobody needs an answer to judge; with
it, a reason names its cause.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from mill_operator.core import clock
from mill_operator.core.verdicts.redact import redact_urls
from mill_operator.core.verdicts.words import head

EVENTS_KEPT: Final = 50
"""Events kept of one object, the newest: the kubelet folds what repeats into one."""


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What somebody said of an object."""

    reason: str
    message: str
    container: str = ""
    """The container that it is about, if it is about one."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node."""

    platform: str
    """Such as `linux/amd64`."""
    ready: str
    """`True`, `False` (it says itself that it is not), or `Unknown`: it is silent."""
    ready_since: datetime | None
    """When that changed last."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known; an object that is not here was not asked for, or did not answer."""

    events: Mapping[str, tuple[EventFacts, ...]] = field(default_factory=dict)
    """By uid of what they are about, the newest first."""
    nodes: Mapping[str, NodeFacts] = field(default_factory=dict)
    """By name."""

    def said(self, uid: str, *reasons: str, container: str = "") -> EventFacts | None:
        """Return the newest event of one of these reasons, about that container if one is named."""
        events = (each for each in self.events.get(uid, ()) if each.reason in reasons)
        return next((each for each in events if container in ("", each.container)), None)


NOTHING_KNOWN: Final = Answers()


def event_facts(items: list[dict[str, Any]]) -> tuple[EventFacts, ...]:
    """Take what we need from a list of events, the newest first."""
    return tuple(_event(each) for each in sorted(items, key=_last_seen, reverse=True)[:EVENTS_KEPT])


def _event(body: dict[str, Any]) -> EventFacts:
    part = (body.get("involvedObject") or {}).get("fieldPath") or ""
    _, _, container = part.removesuffix("}").partition("{")
    return EventFacts(body.get("reason", ""), head(redact_urls(body.get("message") or "")), container)


def node_facts(body: dict[str, Any]) -> NodeFacts:
    """Take what we need from a node."""
    status = body.get("status", {})
    info = status.get("nodeInfo", {})
    ready: dict[str, str] = next((each for each in status.get("conditions", ()) if each["type"] == "Ready"), {})
    changed = ready.get("lastTransitionTime")
    return NodeFacts(
        platform=f"{info['operatingSystem']}/{info['architecture']}" if info.get("architecture") else "",
        ready=ready.get("status", "Unknown"),
        ready_since=clock.parse(changed) if changed else None,
    )


def _last_seen(event: dict[str, Any]) -> datetime:
    """Return when something was said last; which field says so depends on who posted it."""
    series = event.get("series") or {}
    at = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return clock.parse(at or event["metadata"]["creationTimestamp"])
