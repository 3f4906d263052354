"""Writes of child objects, in an order in which no object is written before those that it names.

A write that the API server refuses is a `Problem` of that child, and keeps back those that name it: the others are
written. It is tried again when the child changes, when a rollout starts, and after `WRITE_RETRY`. A service or task of
which another owner has a name is not written at all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mill_api import names
from mill_api.owner import Owner
from mill_kube.client import KubeClient
from mill_kube.errors import Conflict, NotFound
from mill_kube.resources import BY_KIND, JOBS, PODS
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.children.applier import PARALLEL_REQUESTS, ChildApplier, Write, finish_all
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import Plan, Program, program_of, refers_to
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.ownership import FoundObject
from mill_operator.core.observed.pods import ObservedPod
from mill_process.logs import about

log = logging.getLogger(__name__)

FIRST: Final = ("PersistentVolumeClaim", "ConfigMap", "Deployment")
"""Kinds that are written before those of all other services, in this order: pods take longest, and do not wait for the
other objects."""
THEN: Final = ("Service", "Ingress", "CronJob")
"""The other kinds, in the order in which those of a service are written."""


@dataclass(slots=True)
class _ProgramWrites:
    """The writes of one service or task."""

    unobserved: Sequence[ChildObject] = ()
    """Objects whose names are looked up before anything is written."""
    writes: dict[str, list[tuple[ChildObject, ObservedChild | None]]] = field(default_factory=dict)
    """The objects to write by their kind, each with the observed one."""
    delete: list[ObservedChild] = field(default_factory=list)
    found: Mapping[ChildObject, FoundObject] | None = None
    """The objects that have the names, once they were looked up."""
    is_taken: bool = False
    """Whether another owner has one of the names."""
    missing: list[ChildObject] = field(default_factory=list)
    """Objects that could not be created."""


class ChildWriter:
    """Writes the children of all MillDeployments, by at most `PARALLEL_REQUESTS` requests at once."""

    def __init__(self, client: KubeClient, caches: Caches) -> None:
        self._client = client
        self._caches = caches
        self._slots = asyncio.Semaphore(PARALLEL_REQUESTS)
        self._programs = asyncio.Semaphore(PARALLEL_REQUESTS)
        """Services and tasks that are written at once: the first pods do not wait for the lookups of all others."""
        self._applier = ChildApplier(client, caches, self._slots)

    async def write(self, todo: Plan, write: Write) -> None:
        """Carry out a plan. Raise `KubeError` if the API server is away."""
        programs = _by_program(todo)
        await self._look_up_addresses(write, todo, programs)
        await finish_all(
            self._write(write, each, FIRST) for each in programs.values() if not each.writes.keys().isdisjoint(FIRST)
        )
        await finish_all(self._finish(write, each) for each in programs.values())

    async def adopt(self, owner: Owner, jobs: Iterable[ObservedJob]) -> None:
        """Make the MillDeployment itself an owner of Jobs: they are deleted with it, and not before."""
        await finish_all(self._adopt(owner, job) for job in jobs)

    async def delete(self, found: Iterable[ObservedChild]) -> None:
        """Delete objects, each unless another one has its name by now."""
        await finish_all(map(self._delete, found))

    async def replace_pods(self, pods: Iterable[ObservedPod]) -> None:
        """Delete pods, so that their controller makes new ones."""
        await finish_all(map(self._replace_pod, pods))

    async def _look_up_addresses(self, write: Write, todo: Plan, programs: Mapping[Program, _ProgramWrites]) -> None:
        """Look up the names of new Services whose addresses others have, and leave those out if a name is taken."""
        named = {each for services in todo.addresses.values() for each in services}
        new = [child for child in todo.create if child.kind == "Service" and child.service in named]
        await finish_all(self._write(write, programs[child.program], ()) for child in new)
        for each in todo.with_address_of({child.service for child in new if write.memory.is_taken(child)}):
            if each in programs:
                programs[each].is_taken = True

    async def _write(self, write: Write, program: _ProgramWrites, kinds: Sequence[str]) -> None:
        """Write the objects of some kinds, kind by kind, unless another owner has a name of the service or task."""
        async with self._programs:
            if program.unobserved and program.found is None and not program.is_taken:
                program.found = await self._applier.look_up(write, program.unobserved)
                program.is_taken = program.found is None
            for kind in kinds:
                if not program.is_taken and (writes := program.writes.get(kind)):
                    await finish_all(self._write_one(write, program, child, observed) for child, observed in writes)

    async def _write_one(
        self, write: Write, program: _ProgramWrites, child: ChildObject, observed: ObservedChild | None
    ) -> None:
        if any(refers_to(child, each) for each in program.missing):
            return
        if observed is not None:
            await self._applier.update(write, child, observed)
        elif not await self._applier.create(write, child, (program.found or {}).get(child)):
            program.missing.append(child)
            program.is_taken = program.is_taken or write.memory.is_taken(child)

    async def _finish(self, write: Write, program: _ProgramWrites) -> None:
        """Write the other objects of a service or task, and delete those that are no longer desired."""
        await self._write(write, program, THEN)
        if not program.is_taken:
            await finish_all(map(self._delete, program.delete))

    async def _delete(self, found: ObservedChild) -> None:
        async with self._slots:
            try:
                await self._client.delete(BY_KIND[found.kind], *found.key, uid=found.uid)
            except (NotFound, Conflict):
                return  # already deleted, or another object has its name
        resource = Key(found.key.namespace, found.deployment)
        log.info("%s: deleted %s", found.key, found.kind, extra=about(resource, service=found.service, kind=found.kind))

    async def _adopt(self, owner: Owner, job: ObservedJob) -> None:
        changes: list[Json] = [
            {"op": "test", "path": "/metadata/uid", "value": job.uid},
            {"op": "add", "path": "/metadata/ownerReferences/-", "value": owner.reference(controller=False)},
        ]
        async with self._slots:
            with contextlib.suppress(NotFound):
                self._caches.put_job(
                    await self._client.json_patch(JOBS, *job.key, changes, manager=names.OPERATOR_FIELD_MANAGER)
                )

    async def _replace_pod(self, pod: ObservedPod) -> None:
        async with self._slots:
            try:
                body = await self._client.delete(PODS, *pod.key, uid=pod.uid)
            except (NotFound, Conflict):
                return  # already deleted
        if body.get("kind") == "Pod":  # it is terminating
            self._caches.put_pod(body)


def _by_program(todo: Plan) -> Mapping[Program, _ProgramWrites]:
    """Return the writes of a plan by service and task, in the plan's order."""
    unobserved = todo.unobserved
    programs: dict[Program, _ProgramWrites] = {}

    def of(program: Program) -> _ProgramWrites:
        return programs.setdefault(program, _ProgramWrites(unobserved.get(program, ())))

    writes: list[tuple[ChildObject, ObservedChild | None]] = [(child, None) for child in todo.create]
    for child, found in (*writes, *todo.update):
        of(child.program).writes.setdefault(child.kind, []).append((child, found))
    for found in todo.delete:
        of(program_of(found)).delete.append(found)
    return programs
