"""What should exist, and what does → what to apply and what to delete."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mill_api.status import State
from mill_operator.core.desired import Child
from mill_operator.core.facts import ChildFacts, PodFacts
from mill_operator.core.judge import Observation

KEPT = frozenset({"PersistentVolumeClaim"})
"""Kinds that hold data: never deleted by us."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write."""

    create: tuple[Child, ...]
    """Not there, as far as we can see; somebody else's object of that name is not ours to see."""
    update: tuple[tuple[Child, ChildFacts], ...]
    delete: tuple[ChildFacts, ...]


def plan(desired: Sequence[Child], observed: Iterable[ChildFacts], *, uid: str, revisions: Mapping[str, str]) -> Plan:
    """Compare.

    `revisions` remembers, by uid, the revision that our last write gave: another one means another hand. An object
    that we have not written since we started is trusted when its hash is right.
    """
    there = {(each.kind, each.key): each for each in observed}
    create: list[Child] = []
    update: list[tuple[Child, ChildFacts]] = []
    for child in desired:
        found = there.pop((child.kind, child.key), None)
        if found is None:
            create.append(child)
        elif found.terminating:
            continue  # its name is free only when it is gone; we are told then
        elif found.applied != child.applied or revisions.get(found.uid, found.revision) != found.revision:
            update.append((child, found))
    delete = [
        each for each in there.values() if each.owner_uid == uid and each.kind not in KEPT and not each.terminating
    ]
    return Plan(tuple(create), tuple(update), tuple(delete))


def leaving(wanted: Iterable[str], observed: Iterable[ChildFacts], pods: Iterable[PodFacts]) -> dict[str, int]:
    """Count what is left of each service that is not wanted any more."""
    kept = set(wanted)
    left: dict[str, int] = {}
    owned = (each.service for each in observed if each.kind not in KEPT)
    for service in (*owned, *(pod.service for pod in pods)):
        if service and service not in kept:
            left[service] = left.get(service, 0) + 1
    return left


def renewals(observations: Iterable[Observation], pods: Iterable[PodFacts]) -> list[PodFacts]:
    """Return the waiting pods of services that are not healthy: who asks again wants new ones.

    The kubelet's back-off belongs to the pod, and may be minutes by now; a new pod starts at once.
    """
    templates = {each.service: each.template for each in observations if each.state is not State.HEALTHY}
    return [
        pod
        for pod in pods
        if templates.get(pod.service) == pod.template and pod.waiting_reason and not pod.ready and not pod.terminating
    ]
