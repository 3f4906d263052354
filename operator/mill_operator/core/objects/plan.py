"""Objects that should exist, and objects that do → what to apply, what to delete, and what must wait."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mill_api.owner import Owner
from mill_operator.core.objects.desired import ChildObject, min_ready_seconds
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import is_of_predecessor

KEPT = frozenset({"PersistentVolumeClaim"})
"""Kinds that hold data: the operator never deletes them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The writes that lead to the desired state."""

    create: tuple[ChildObject, ...] = ()
    """Objects that the caches do not have. Another owner may have an object of that name, which is not cached."""
    update: tuple[tuple[ChildObject, ObservedChild], ...] = ()
    delete: tuple[ObservedChild, ...] = ()
    taken: tuple[tuple[ChildObject, ObservedChild], ...] = ()
    """Desired objects whose name is taken by an object with our labels and another owner."""


def plan(
    desired: Sequence[ChildObject],
    observed: Iterable[ObservedChild],
    *,
    owner: Owner,
    revisions: Mapping[str, str],
    postponed: Collection[str] = (),
    unrendered: Collection[tuple[str, str]] = (),
) -> Plan:
    """Compare the desired objects with the observed ones.

    `revisions` has the revision that the operator's last write gave an object, by uid: another revision means another
    writer. An object that was not written since the operator started is trusted if its hash is right. `postponed` names
    the services whose Deployments must not be written yet. `unrendered` are the services and tasks that could not be
    rendered (`DesiredState.unrendered`): their objects stay as they are.
    """
    unmatched = {(each.kind, each.key): each for each in observed}
    create: list[ChildObject] = []
    update: list[tuple[ChildObject, ObservedChild]] = []
    taken: list[tuple[ChildObject, ObservedChild]] = []
    for child in desired:
        found = unmatched.pop((child.kind, child.key), None)
        if child.kind == "Deployment" and child.service in postponed:
            continue
        if found is None:
            create.append(child)
        elif found.terminating or is_of_predecessor(found, owner):
            continue  # its name is free when it is gone, which the watch reports
        elif found.owner_uid not in ("", owner.uid):
            taken.append((child, found))
        elif found.applied != child.applied or revisions.get(found.uid, found.revision) != found.revision:
            update.append((child, found))
    unwanted = (each for each in unmatched.values() if _program(each) not in unrendered)
    delete = [each for each in unwanted if is_deleted_with(each, owner) and not each.terminating]
    return Plan(tuple(create), tuple(update), tuple(delete), tuple(taken))


def postponed(wanted: Iterable[DesiredService], pods: Iterable[ObservedPod], now: datetime) -> dict[str, datetime]:
    """Return the services whose next template must wait, and until when.

    If a Deployment has a working pod that has not been ready for `minReadySeconds` yet, and another version that does
    not work, then its controller takes both for unavailable: with a third version it would delete the working pod.
    """
    pods_of: dict[str, list[ObservedPod]] = {}
    for pod in pods:
        if not pod.terminating:
            pods_of.setdefault(pod.service, []).append(pod)
    until: dict[str, datetime] = {}
    for service in wanted:
        others = [pod for pod in pods_of.get(service.name, ()) if pod.template != service.template]
        span = timedelta(seconds=min_ready_seconds(service.settle))
        settling = [pod for pod in others if pod.ready_at is not None and abs(now - pod.ready_at) < span]
        failing = {pod.template for pod in others if not pod.ready} - {pod.template for pod in settling}
        if settling and failing:
            until[service.name] = max(pod.ready_at for pod in settling if pod.ready_at is not None) + span
    return until


def _program(found: ObservedChild) -> tuple[str, str]:
    """Return the service or task that an object belongs to."""
    return ("service", found.service) if found.service else ("task", found.key.name)


def is_deleted_with(found: ObservedChild, owner: Owner) -> bool:
    """Return whether an object is deleted when its service is removed: one with data is kept."""
    return found.owner_uid == owner.uid and found.kind not in KEPT
