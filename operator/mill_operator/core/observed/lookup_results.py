"""What is looked up where a pod's status is silent: events of one object, and nodes. Plain data for the rules.

Events are never watched: they carry no labels, and there are very many of them. Nobody needs an answer to judge; with
it, a reason names its cause.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.core.observed.foreign_text import cluster_words, name, others_words

EVENTS_KEPT: Final = 50
"""Events kept of one object, the newest: the kubelet folds what repeats into one."""


LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When an event was posted that does not say it."""


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


PROBE: Final = "Unhealthy"
"""An event in which the output of a program may be, that a probe has run."""

NOTHING_KNOWN: Final = Answers()


def event_facts(items: Iterable[JsonView]) -> tuple[EventFacts, ...]:
    """Take what we need from a list of events, the newest first."""
    return tuple(_event(each) for each in sorted(items, key=_last_seen, reverse=True)[:EVENTS_KEPT])


def _event(body: JsonView) -> EventFacts:
    part = fields.text(fields.mapping(body, "involvedObject"), "fieldPath")
    _, _, container = part.removesuffix("}").partition("{")
    reason = name(fields.text(body, "reason"))
    words = others_words if reason == PROBE else cluster_words
    return EventFacts(reason, words(fields.text(body, "message")), name(container))


def node_facts(body: JsonView) -> NodeFacts:
    """Take what we need from a node."""
    info = fields.mapping(body, "status", "nodeInfo")
    system, architecture = fields.text(info, "operatingSystem"), fields.text(info, "architecture")
    ready = fields.conditions(fields.mapping(body, "status")).get("Ready", {})
    return NodeFacts(
        platform=name(f"{system}/{architecture}") if system and architecture else "",
        ready=name(fields.text(ready, "status")) or "Unknown",
        ready_since=fields.time(ready, "lastTransitionTime"),
    )


def _last_seen(event: JsonView) -> datetime:
    """Return when something was said last; which field says so depends on who posted it."""
    series, meta = fields.mapping(event, "series"), fields.mapping(event, "metadata")
    times = ((series, "lastObservedTime"), (event, "lastTimestamp"), (event, "eventTime"), (meta, "creationTimestamp"))
    return next((at for each, name in times if (at := fields.time(each, name))), LONG_AGO)
