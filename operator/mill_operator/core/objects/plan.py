"""What should exist, and what does → what to apply, what to delete, and what must wait."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mill_api.owner import Owner
from mill_operator.core.objects.desired import MIN_READY_SECONDS, ChildObject
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import is_of_predecessor

KEPT = frozenset({"PersistentVolumeClaim"})
"""Kinds that hold data: never deleted by us."""
SETTLING = timedelta(seconds=MIN_READY_SECONDS)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write."""

    create: tuple[ChildObject, ...] = ()
    """Not there, as far as we can see; somebody else's object of that name is not ours to see."""
    update: tuple[tuple[ChildObject, ObservedChild], ...] = ()
    delete: tuple[ObservedChild, ...] = ()
    taken: tuple[tuple[ChildObject, ObservedChild], ...] = ()
    """DesiredService, and the object of that name belongs to somebody else, though it has our labels."""


def plan(
    desired: Sequence[ChildObject],
    observed: Iterable[ObservedChild],
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
    update: list[tuple[ChildObject, ObservedChild]] = []
    taken: list[tuple[ChildObject, ObservedChild]] = []
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
    delete = [each for each in unwanted if is_deleted_with(each, owner) and not each.terminating]
    return Plan(tuple(create), tuple(update), tuple(delete), tuple(taken))


def postponed(wanted: Iterable[DesiredService], pods: Iterable[ObservedPod], now: datetime) -> dict[str, datetime]:
    """Return the services whose next template must wait a moment, and until when.

    A Deployment that has a working pod, which has not been ready for `minReadySeconds` yet, and next to it a version
    that does not work, takes the working one for as bad as the other: with a third version it ends it.
    """
    pods_of: dict[str, list[ObservedPod]] = {}
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


def _program(found: ObservedChild) -> tuple[str, str]:
    """Return what an object is a part of."""
    return ("service", found.service) if found.service else ("task", found.key.name)


def is_deleted_with(found: ObservedChild, owner: Owner) -> bool:
    """Return whether an object is deleted when its service is removed: one with data is kept."""
    return found.owner_uid == owner.uid and found.kind not in KEPT
