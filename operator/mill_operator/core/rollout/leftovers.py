"""Leftovers of services that a spec no longer has, until all of their objects are deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mill_api.owner import Owner
from mill_api.service_status import ServiceStatus, State
from mill_api.stopping import GRACE_SECONDS, LEAVE_SECONDS, LONGEST_STOP_SECONDS
from mill_operator.core import timestamps
from mill_operator.core.objects.plan import is_deleted_with
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.nodes import ObservedNode
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.lookup_requests import SOON, LookupRequest

SHORT_STOP: Final = timedelta(seconds=GRACE_SECONDS + LEAVE_SECONDS)
"""How long objects may take to go, at least: as long as the pods of a service that does not say how long it takes."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Objects of a service that is no longer desired."""

    count: int
    where: str
    """In words: what is known of the node of its pods, or else the first other object."""
    stop_time: timedelta = SHORT_STOP
    """How long its pods may take to end."""


def late_pod_lookups(
    services: Iterable[ServiceStatus], pods: Iterable[ObservedPod], now: datetime
) -> set[LookupRequest]:
    """Ask about the nodes of pods that should have ended by now."""
    since = {
        each.name: timestamps.parse(each.moved_at)
        for each in services
        if each.state is State.STOPPING and each.moved_at
    }
    return {
        LookupRequest("node", pod.node, fresh=SOON)
        for pod in pods
        if pod.node and pod.service in since and now - since[pod.service] >= stop_time(pod)
    }


def stop_time(pod: ObservedPod) -> timedelta:
    """Return how long a pod may take to end. Nothing that is written in a pod makes that longer than any service's."""
    return timedelta(seconds=min(pod.stop_seconds, LONGEST_STOP_SECONDS))


def leftovers(
    wanted: Iterable[str],
    observed: Iterable[ObservedChild],
    pods: Iterable[ObservedPod],
    *,
    owner: Owner,
    nodes: Mapping[str, ObservedNode],
) -> dict[str, Leftover]:
    """Return what is left of each service that is not wanted any more."""
    kept = set(wanted)
    left: dict[str, list[str]] = {}
    times: dict[str, timedelta] = {}
    for pod in pods:
        if pod.service not in kept:
            node = nodes.get(pod.node or "")
            silent = node is not None and node.ready != "True"
            where = f"node {pod.node} does not answer" if silent else f"Pod {pod.key.name} is still there"
            left.setdefault(pod.service, []).append(where)
            times[pod.service] = max(times.get(pod.service, SHORT_STOP), stop_time(pod))
    for each in observed:
        if each.service and each.service not in kept and is_deleted_with(each, owner):
            left.setdefault(each.service, []).append(f"{each.kind} {each.key.name} is still there")
    return {service: Leftover(len(words), words[0], times.get(service, SHORT_STOP)) for service, words in left.items()}
