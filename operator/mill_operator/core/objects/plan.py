"""What should exist, and what does → what to apply, what to delete, and what must wait."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mill_api.owner import Owner
from mill_api.status import ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.objects.desired import MIN_READY_SECONDS, ChildObject
from mill_operator.core.observed.lookup_results import NodeFacts
from mill_operator.core.observed.pods import ChildFacts, PodFacts
from mill_operator.core.observed.snapshot import is_of_predecessor
from mill_operator.core.verdicts.judge import Observation, Wanted
from mill_operator.core.verdicts.lookup_requests import NODE_SILENCE, SOON, Question

KEPT = frozenset({"PersistentVolumeClaim"})
"""Kinds that hold data: never deleted by us."""
SETTLING = timedelta(seconds=MIN_READY_SECONDS)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write."""

    create: tuple[ChildObject, ...] = ()
    """Not there, as far as we can see; somebody else's object of that name is not ours to see."""
    update: tuple[tuple[ChildObject, ChildFacts], ...] = ()
    delete: tuple[ChildFacts, ...] = ()
    taken: tuple[tuple[ChildObject, ChildFacts], ...] = ()
    """Wanted, and the object of that name belongs to somebody else, though it has our labels."""


def plan(
    desired: Sequence[ChildObject],
    observed: Iterable[ChildFacts],
    *,
    owner: Owner,
    revisions: Mapping[str, str],
    postponed: Collection[str] = (),
    unrendered: Collection[tuple[str, str]] = (),
) -> Plan:
    """Compare.

    `revisions` remembers, by uid, the revision that our last write gave: another one means another hand. An object
    that we have not written since we started is trusted when its hash is right. `postponed` names the services whose
    Deployments must not be changed yet. `unrendered` is what is wanted, though nobody can say how
    (`DesiredState.unrendered`): what there is of it is left alone.
    """
    there = {(each.kind, each.key): each for each in observed}
    create: list[ChildObject] = []
    update: list[tuple[ChildObject, ChildFacts]] = []
    taken: list[tuple[ChildObject, ChildFacts]] = []
    for child in desired:
        found = there.pop((child.kind, child.key), None)
        if found is None:
            create.append(child)
        elif found.terminating or is_of_predecessor(found, owner):
            continue  # its name is free only when it is gone; we are told then
        elif found.owner_uid not in ("", owner.uid):
            taken.append((child, found))
        elif child.kind == "Deployment" and child.service in postponed:
            continue
        elif found.applied != child.applied or revisions.get(found.uid, found.revision) != found.revision:
            update.append((child, found))
    unwanted = (each for each in there.values() if _program(each) not in unrendered)
    delete = [each for each in unwanted if _is_deleted_with(each, owner) and not each.terminating]
    return Plan(tuple(create), tuple(update), tuple(delete), tuple(taken))


def postponed(wanted: Iterable[Wanted], pods: Iterable[PodFacts], now: datetime) -> dict[str, datetime]:
    """Return the services whose next template must wait a moment, and until when.

    A Deployment that has a working pod, which has not been ready for `minReadySeconds` yet, and next to it a version
    that does not work, takes the working one for as bad as the other: with a third version it ends it.
    """
    pods_of: dict[str, list[PodFacts]] = {}
    for pod in pods:
        if not pod.terminating:
            pods_of.setdefault(pod.service, []).append(pod)
    until: dict[str, datetime] = {}
    for service in wanted:
        others = [pod for pod in pods_of.get(service.name, ()) if pod.template != service.template]
        settling = [pod for pod in others if pod.ready_at is not None and abs(now - pod.ready_at) < SETTLING]
        failing = {pod.template for pod in others if not pod.ready} - {pod.template for pod in settling}
        if settling and failing:
            until[service.name] = max(pod.ready_at for pod in settling if pod.ready_at is not None) + SETTLING
    return until


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is left of a service that is not wanted any more."""

    count: int
    where: str
    """In words: what is known of the node of its pods, or else the first other object."""


def late_pod_lookups(services: Iterable[ServiceStatus], pods: Iterable[PodFacts], now: datetime) -> set[Question]:
    """Ask about the nodes of pods that should have ended by now."""
    since = {
        each.name: timestamps.parse(each.moved_at)
        for each in services
        if each.state is State.STOPPING and each.moved_at
    }
    late = {name for name, moment in since.items() if now - moment >= NODE_SILENCE}
    return {Question("node", pod.node, fresh=SOON) for pod in pods if pod.service in late and pod.node}


def leftovers(
    wanted: Iterable[str],
    observed: Iterable[ChildFacts],
    pods: Iterable[PodFacts],
    *,
    owner: Owner,
    nodes: Mapping[str, NodeFacts],
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
        if each.service and each.service not in kept and _is_deleted_with(each, owner):
            left.setdefault(each.service, []).append(f"{each.kind} {each.key.name} is still there")
    return {service: Leftover(len(words), words[0]) for service, words in left.items()}


def pods_to_replace(observations: Iterable[Observation], pods: Iterable[PodFacts]) -> list[PodFacts]:
    """Return the pods of services in trouble that are not ready: who asks again wants new ones.

    The kubelet's back-off belongs to the pod, and may be minutes by now; a new pod starts at once, and what the old
    one went through is no evidence for the new request. A service that is only starting goes on, and so does one that
    cannot be judged.
    """
    in_trouble = (State.FAILED, State.SUSPECT)
    judged = (each for each in observations if each.internal_error is None)
    templates = {each.service: each.template for each in judged if each.state in in_trouble}
    return [pod for pod in pods if templates.get(pod.service) == pod.template and not pod.ready and not pod.terminating]


def _program(found: ChildFacts) -> tuple[str, str]:
    """Return what an object is a part of."""
    return ("service", found.service) if found.service else ("task", found.key.name)


def _is_deleted_with(found: ChildFacts, owner: Owner) -> bool:
    return found.owner_uid == owner.uid and found.kind not in KEPT
