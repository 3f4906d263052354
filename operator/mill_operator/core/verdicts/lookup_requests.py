"""Lookups of what pods do not report and a verdict needs. They are requested only where they can help."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from mill_api.service_status import ServiceStatus
from mill_operator.core import timestamps
from mill_operator.core.objects.service import ServiceRequest
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.containers import ObservedContainer
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts import pulls
from mill_operator.core.verdicts.scheduling_predicates import lacks_resources
from mill_operator.core.verdicts.volume_predicates import is_pending_start

PODS_LOOKED_UP: Final = 1
"""Pods of a service that are looked up: they mostly share a problem, and lists of events are expensive."""
SILENCE: Final = timedelta(seconds=5)
"""A pod that has not reached its first container for so long is looked up, and again after twice that time, …"""
NODE_SILENCE: Final = timedelta(seconds=10)
"""A pod without news for so long may be on a lost node."""
PROBED_IN_VAIN: Final = timedelta(seconds=5)
"""After this time, Events about a failing probe are looked up."""
LONG_UNSCHEDULABLE: Final = timedelta(seconds=60)
"""A pod that found no node for so long may be waiting for one that an autoscaler has ordered."""

EVENTS_LATE: Final = timedelta(seconds=20)
"""After this time, no more events about the end of a container are expected."""

SOON: Final = 5.0
"""Seconds for which a result is fresh."""
OF_A_PROBE: Final = 10.0
"""What a probe reports changes during a start, and the verdict names what it reported last."""
LATER: Final = 20.0
MINUTE: Final = 60.0
"""For a list of all nodes, which is the largest lookup."""
SETTLED: Final = 300.0
"""For what does not change while the pod's status is the same."""


@dataclass(frozen=True, slots=True)
class LookupRequest:
    """A lookup."""

    about: Literal["events", "node", "nodes"]
    name: str
    """Name of a node; empty for all nodes; uid of every other object."""
    namespace: str = ""
    says: str = ""
    """The object's message at the time of the request; with another message it is another lookup."""
    fresh: float = field(default=SOON, compare=False)
    """Seconds for which an older result is good enough."""


def lookup_requests(
    pods: Sequence[ObservedPod],
    claims: Iterable[ObservedChild],
    *,
    request: ServiceRequest,
    previous: ServiceStatus | None,
    now: datetime,
) -> set[LookupRequest]:
    """Return the lookups that would help to judge these pods of one service, for the first of them."""
    asked: set[LookupRequest] = set()
    if request.least_live_time is not None:
        for pod in pods[:PODS_LOOKED_UP]:
            asked |= _about_its_end(pod, now)
    claim_of = {each.key.name: each for each in claims}
    for pod in [pod for pod in pods if not pod.ready][:PODS_LOOKED_UP]:
        asked |= _about_its_containers(pod, request.image, previous)
        asked |= _about_its_place(pod, claim_of, now)
        asked |= _about_its_silence(pod, now)
    return asked


def _about_its_containers(pod: ObservedPod, image: str, previous: ServiceStatus | None) -> set[LookupRequest]:
    ours = replace(pod.container, image=image)
    asked = {each for one in (ours, *pod.injected) for each in _about_a_pull(pod, one, previous)}
    end = pod.container.latest_end
    if "exec format error" in (pod.container.waiting_message + (end.message if end else "")).lower():
        asked |= _node(pod, SETTLED)
    return asked


def _about_a_pull(pod: ObservedPod, container: ObservedContainer, previous: ServiceStatus | None) -> set[LookupRequest]:
    if not pulls.is_failing(container):
        return set()
    if pulls.needs_platform(container):
        return _node(pod, SETTLED)
    if pulls.needs_pull_secrets(container):
        return {_events(pod, LATER), *_node(pod, SETTLED)}
    if pulls.names_no_cause(container) and not pulls.is_known_cause(previous, container.image):
        return {_events(pod, SETTLED, says=container.waiting_message)}
    return set()


def _about_its_end(pod: ObservedPod, now: datetime) -> set[LookupRequest]:
    """Ask who has ended a container that may have been ended for its live check, ready again or not."""
    end = pod.container.latest_end
    if end is None or end.finished_at is None:
        return set()
    fresh = SOON if now - end.finished_at < EVENTS_LATE else SETTLED
    return {_events(pod, fresh, says=f"ended at {timestamps.render(end.finished_at)}")}


def _about_its_place(pod: ObservedPod, claims: dict[str, ObservedChild], now: datetime) -> set[LookupRequest]:
    if pod.node is not None:
        return set()
    waited = now - pod.created
    asked: set[LookupRequest] = set()
    if pod.unschedulable is not None and lacks_resources(pod.unschedulable):
        asked.add(LookupRequest("nodes", "", fresh=MINUTE))
    unbound = [claims[name] for name in pod.claims if name in claims and claims[name].phase != "Bound"]
    if waited >= SILENCE:
        asked |= {LookupRequest("events", claim.uid, claim.key.namespace, fresh=SOON) for claim in unbound[:1]}
    if waited >= LONG_UNSCHEDULABLE and pod.unschedulable is not None and not unbound:
        asked.add(_events(pod, LATER))
    return asked


def _about_its_silence(pod: ObservedPod, now: datetime) -> set[LookupRequest]:
    if pod.bound_at is None:
        return set()
    waited = now - pod.bound_at
    if is_pending_start(pod):
        asked = {_events(pod, SOON)} if waited >= SILENCE else set()
        return asked | (_node(pod, SOON) if waited >= NODE_SILENCE else set())
    if pod.container.running_since is None:
        return set()
    if not pod.container.ready:
        waited = now - pod.container.running_since
        asked = {_events(pod, OF_A_PROBE)} if waited >= PROBED_IN_VAIN else set()
        return asked | (_node(pod, SOON) if waited >= NODE_SILENCE else set())
    # Its own container is ready. It is not: because of another container, a gate, or the controller that watches nodes.
    return set() if pod.injected or pod.gate else _node(pod, SOON)


def next_lookup_at(pod: ObservedPod, now: datetime) -> datetime | None:
    """Return when to look up a pod again whose status does not report anything, though nothing happens."""
    if pod.ready or not (is_pending_start(pod) or (pod.node is None and pod.claims)):
        return None
    waiting_since = pod.bound_at or pod.created
    pause = SILENCE
    while waiting_since + pause <= now:
        pause *= 2
    return waiting_since + pause


def probes_looked_up_at(pod: ObservedPod) -> datetime | None:
    """Return when to look up what the probes of a pod report, though nothing happens; None if it has no use."""
    running_since = pod.container.running_since
    return None if running_since is None or pod.container.ready else running_since + PROBED_IN_VAIN


def _events(pod: ObservedPod, fresh: float, says: str = "") -> LookupRequest:
    return LookupRequest("events", pod.uid, pod.key.namespace, says, fresh)


def _node(pod: ObservedPod, fresh: float) -> set[LookupRequest]:
    return {LookupRequest("node", pod.node, fresh=fresh)} if pod.node else set()
