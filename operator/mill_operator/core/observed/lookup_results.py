"""Results of lookups where a pod's status does not name a cause: Events of one object, and nodes.

A service can be judged without; with a result, a reason names its cause.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mill_operator.core.observed.events import LIVENESS, PROBE, ObservedEvent
from mill_operator.core.observed.nodes import ObservedNode


@dataclass(frozen=True, slots=True)
class LookupResults:
    """Results of lookups; an object that is missing was not looked up, or the lookup failed."""

    events: Mapping[str, tuple[ObservedEvent, ...]] = field(default_factory=dict)
    """By uid of what they are about, the newest first."""
    nodes: Mapping[str, ObservedNode] = field(default_factory=dict)
    """By name."""
    largest_node: Mapping[str, float] = field(default_factory=dict)
    """The most that one node can allocate of each resource: cores of CPU, or as many as Kubernetes counts."""

    def newest_event(self, uid: str, *reasons: str, container: str = "", says: str = "") -> ObservedEvent | None:
        """Return the newest event of one of these reasons, about that container if one is named."""
        events = (each for each in self.events.get(uid, ()) if each.reason in reasons and says in each.message)
        return next((each for each in events if container in ("", each.container)), None)

    def newest_health_check(self, uid: str, container: str) -> ObservedEvent | None:
        """Return the newest event about a health check that failed: a live check says nothing of readiness."""
        found = (each for each in self.events.get(uid, ()) if each.reason == PROBE and each.container == container)
        return next((each for each in found if not each.message.startswith(LIVENESS)), None)


NO_RESULTS: Final = LookupResults()
