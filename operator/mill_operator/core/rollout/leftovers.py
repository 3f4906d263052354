"""Leftovers of services that a spec no longer has, until all of their objects are deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mill_api.manifests import MAX_STOP_SECONDS
from mill_api.owner import Owner
from mill_api.status import ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.objects.plan import is_deleted_with
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.nodes import ObservedNode
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.lookup_requests import SOON, LookupRequest


@dataclass(frozen=True, slots=True)
class Leftover:
    """Objects of a service that is no longer desired."""

    count: int
    where: str
    """In words: what is known of the node of its pods, or else the first other object."""


def late_pod_lookups(
    services: Iterable[ServiceStatus], pods: Iterable[ObservedPod], now: datetime
) -> set[LookupRequest]:
    """Ask about the nodes of pods that should have ended by now."""
    since = {
        each.name: timestamps.parse(each.moved_at)
        for each in services
        if each.state is State.STOPPING and each.moved_at
    }
    late = {name for name, moment in since.items() if now - moment >= timedelta(seconds=MAX_STOP_SECONDS)}
    return {LookupRequest("node", pod.node, fresh=SOON) for pod in pods if pod.service in late and pod.node}


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
    for pod in pods:
        if pod.service not in kept:
            node = nodes.get(pod.node or "")
            silent = node is not None and node.ready != "True"
            where = f"node {pod.node} does not answer" if silent else f"Pod {pod.key.name} is still there"
            left.setdefault(pod.service, []).append(where)
    for each in observed:
        if each.service and each.service not in kept and is_deleted_with(each, owner):
            left.setdefault(each.service, []).append(f"{each.kind} {each.key.name} is still there")
    return {service: Leftover(len(words), words[0]) for service, words in left.items()}
