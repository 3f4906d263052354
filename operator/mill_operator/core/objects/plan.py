"""Objects that should exist, and objects that do → what to apply, what to delete, and what must wait."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple, Self

from mill_api.owner import Owner
from mill_operator.core.objects.desired import ChildObject, min_ready_seconds
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.ownership import Ownership, ownership
from mill_operator.core.observed.pods import ObservedPod

KEPT = frozenset({"PersistentVolumeClaim", "ConfigMap"})
"""Kinds that stay when they are not desired any more: claims hold data, and the operator never deletes them; ConfigMaps
have the files of older versions, and go when no version needs them (`old_files`)."""
REFERS_TO: Final[Mapping[str, Collection[str]]] = {
    "Deployment": ("PersistentVolumeClaim", "ConfigMap"),
    "CronJob": ("ConfigMap",),
    "Ingress": ("Service",),
}
"""The kinds of objects of its own service that an object names. They are written before it, and it is not written
without them: another owner may make an object of that name."""
LEADS_TO: Final = frozenset({"Service", "Ingress"})
"""Kinds by which requests reach the pods of a service."""

Program = tuple[str, str]
"""A service or task, as ("service" or "task", name)."""


class KnownVersion(NamedTuple):
    """The version of a child object that has the desired content."""

    uid: str
    revision: str
    """The revision that the operator's last write gave the object, or in which it was first observed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The writes that lead to the desired state. A service or task of which a name is taken has none."""

    create: tuple[ChildObject, ...] = ()
    """Objects that the caches do not have. Another owner may have an object of that name, which is not cached."""
    update: tuple[tuple[ChildObject, ObservedChild], ...] = ()
    delete: tuple[ObservedChild, ...] = ()
    taken: tuple[tuple[ChildObject, ObservedChild], ...] = ()
    """Desired objects whose name is taken by an object with our labels and another owner."""
    later: tuple[ChildObject, ...] = ()
    """Deployments that do not exist and must not be created yet. Their names have to be free all the same."""
    addresses: Mapping[Program, Collection[str]] = field(default_factory=dict)
    """The services whose addresses a service or task has in its environment."""

    @property
    def unobserved(self) -> Mapping[Program, Sequence[ChildObject]]:
        """Objects whose names must be looked up, by service or task: those of each that has something to create."""
        found: dict[Program, list[ChildObject]] = {}
        for child in self.create:
            found.setdefault(child.program, []).append(child)
        for child in self.later:
            if child.program in found:
                found[child.program].append(child)
        return found

    def with_address_of(self, services: Collection[str | None]) -> frozenset[Program]:
        """Return the services and tasks that have the address of one of some services."""
        return frozenset(
            program for program, named in self.addresses.items() if any(each in services for each in named)
        )

    def without_programs(self, programs: Collection[Program]) -> Self:
        """Return the plan without everything of some services and tasks: what runs of them is left as it is."""
        if not programs:
            return self
        return replace(
            self,
            create=tuple(child for child in self.create if child.program not in programs),
            update=tuple((child, found) for child, found in self.update if child.program not in programs),
            delete=tuple(found for found in self.delete if program_of(found) not in programs),
            later=tuple(child for child in self.later if child.program not in programs),
        )

    def without(self, children: Collection[ChildObject]) -> Self:
        """Return the plan without some objects, and without the objects that name those which do not exist."""
        if not children:
            return self
        missing = [child for child in self.create if child in children]

        def is_left_out(child: ChildObject) -> bool:
            return child in children or any(refers_to(child, each) for each in missing)

        return replace(
            self,
            create=tuple(child for child in self.create if not is_left_out(child)),
            update=tuple((child, found) for child, found in self.update if not is_left_out(child)),
        )


def plan(
    desired: Sequence[ChildObject],
    observed: Iterable[ObservedChild],
    *,
    owner: Owner,
    known: Mapping[str, KnownVersion],
    postponed: Collection[str] = (),
    held: Collection[str] = (),
    unrendered: Collection[Program] = (),
    addresses: Mapping[Program, Collection[str]] = MappingProxyType({}),
) -> Plan:
    """Compare the desired objects with the observed ones.

    `known` has the versions of objects by `ChildObject.applied`: another version means another writer. An object that
    is observed for the first time since the operator started is trusted if its hash is right. `postponed` names the
    services whose Deployments must not be written yet, and `held` those of them whose older version serves on: what
    leads to its ports stays. `unrendered` are the services and tasks that could not be rendered
    (`DesiredState.unrendered`): their objects stay as they are. `addresses` are those of `DesiredState`.
    """
    unmatched = {(each.kind, each.key): each for each in observed}
    create: list[ChildObject] = []
    update: list[tuple[ChildObject, ObservedChild]] = []
    taken: list[tuple[ChildObject, ObservedChild]] = []
    later: list[ChildObject] = []
    occupied: list[ChildObject] = []
    for child in desired:
        found = unmatched.pop((child.kind, child.key), None)
        is_postponed = child.kind == "Deployment" and child.service in postponed
        if child.kind in LEADS_TO and child.service in held:
            is_postponed = found is not None and found.applied != child.applied  # what others have edited is put back
        if found is None:
            (later if is_postponed else create).append(child)
            continue
        match ownership(found, owner):
            case Ownership.FOREIGN:
                taken.append((child, found))
            case Ownership.PREDECESSOR:
                occupied.append(child)  # its name is free when it is gone, which the watch reports
            case Ownership.OURS if found.terminating or is_postponed:
                continue
            case Ownership.OURS:
                version = KnownVersion(found.uid, found.revision)
                if found.applied != child.applied or known.get(child.applied, version) != version:
                    update.append((child, found))
    unwanted = (each for each in unmatched.values() if program_of(each) not in unrendered)
    delete = [
        each
        for each in unwanted
        if is_deleted_with(each, owner) and not each.terminating
        if not (each.kind in LEADS_TO and each.service in held)
    ]
    todo = Plan(
        tuple(child for child in create if not any(refers_to(child, each) for each in occupied)),
        tuple((child, found) for child, found in update if not any(refers_to(child, each) for each in occupied)),
        tuple(delete),
        tuple(taken),
        tuple(later),
        addresses,
    )
    return todo.without_programs({child.program for child, _ in taken})


def refers_to(child: ChildObject, other: ChildObject) -> bool:
    """Return whether an object names another one of its service."""
    return child.program == other.program and other.kind in REFERS_TO.get(child.kind, ()) and not other.is_outside


def program_of(found: ObservedChild) -> Program:
    """Return the service or task that an object belongs to."""
    return ("service", found.service) if found.service else ("task", found.task or found.key.name)


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


def is_deleted_with(found: ObservedChild, owner: Owner) -> bool:
    """Return whether an object is deleted when its service is removed: one with data is kept."""
    return found.owner_uid == owner.uid and found.kind not in KEPT
