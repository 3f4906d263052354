"""Projection of the Kubernetes Events about one object.

Events are never watched: they carry no labels, and there are very many of them. They are looked up where a pod's status
does not name a cause.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.core.observed.foreign_text import cluster_text, name, untrusted_text

EVENTS_KEPT: Final = 50
"""Events kept of one object, the newest: the kubelet folds what repeats into one."""
PROBE: Final = "Unhealthy"
"""The reason of an event that may contain the output of a program that a probe has run."""
LIVENESS: Final = "Liveness probe "
"""How the message of such an event begins if it is about a live check; health checks are the other two probes."""
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of an event that does not have one."""


@dataclass(frozen=True, slots=True)
class ObservedEvent:
    """An event about an object."""

    reason: str
    message: str
    container: str = ""
    """The container that it is about, if it is about one."""
    at: datetime = LONG_AGO
    """When it occurred last, by the clock of what reported it."""


def project_events(items: Iterable[JsonView]) -> tuple[ObservedEvent, ...]:
    """Return what is kept of a list of events, newest first."""
    return tuple(_event(each) for each in sorted(items, key=_last_seen, reverse=True)[:EVENTS_KEPT])


def _event(body: JsonView) -> ObservedEvent:
    part = fields.text(fields.mapping(body, "involvedObject"), "fieldPath")
    _, _, container = part.removesuffix("}").partition("{")
    reason = name(fields.text(body, "reason"))
    words = untrusted_text if reason == PROBE else cluster_text
    return ObservedEvent(reason, words(fields.text(body, "message")), name(container), _last_seen(body))


def _last_seen(event: JsonView) -> datetime:
    """Return when an event occurred last; which field has it depends on the client that posted it."""
    series, meta = fields.mapping(event, "series"), fields.mapping(event, "metadata")
    times = ((series, "lastObservedTime"), (event, "lastTimestamp"), (event, "eventTime"), (meta, "creationTimestamp"))
    return next((at for each, name in times if (at := fields.time(each, name))), LONG_AGO)
