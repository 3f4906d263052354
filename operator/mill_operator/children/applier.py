"""Writes of one child object: a first apply that changes no other owner's object, and applies of what is ours.

The caches select by label, so they do not have another owner's object. It may also appear after a name was looked up.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from mill_api import names
from mill_api.owner import Owner
from mill_kube.client import KubeClient
from mill_kube.errors import UNPROCESSABLE, ApiError, Conflict, NotFound
from mill_kube.resources import BY_KIND
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.json import Json
from mill_operator.caches import Caches
from mill_operator.children.write_memory import WriteMemory
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import KnownVersion
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.edits import DELETED, read_edit
from mill_operator.core.observed.foreign_text import untrusted_text
from mill_operator.core.observed.ownership import FoundObject, Ownership, found_object
from mill_operator.core.verdicts.rule_input import Problem, ProblemKind
from mill_operator.cpu_time import counted
from mill_operator.renderer import Renderer

T = TypeVar("T")

PARALLEL_REQUESTS = 16
REFUSALS: Final[Mapping[int, ProblemKind]] = {400: "refused", 403: "refused", 422: "refused", 500: "blocked"}
"""HTTP statuses that concern one object, and the kind of problem that each is. 500: its admission webhook is broken."""
OTHERS: Final = frozenset({409, UNPROCESSABLE})
"""HTTP statuses by which the API server says, among other things, that another object has the name."""
POSTED: Final = frozenset({"PersistentVolumeClaim"})
"""Kinds that are created by POST. It would keep later applies from removing fields, which claims do not lose."""
NO_VERSION: Final = "1"
"""A resource version that no object has. An apply with it creates a missing object, and changes none."""


class Write(NamedTuple):
    """The circumstances of a child's write: the memory of its MillDeployment, and where its content comes from."""

    owner: Owner
    memory: WriteMemory
    renderer: Renderer
    autoscaled: frozenset[str] = frozenset()
    """The services whose replicas an autoscaler changes as well."""


class ChildApplier:
    """Looks up and writes single children, by at most `PARALLEL_REQUESTS` requests at once."""

    def __init__(self, client: KubeClient, caches: Caches, slots: asyncio.Semaphore) -> None:
        self._client = client
        self._caches = caches
        self._slots = slots

    async def look_up(self, write: Write, children: Sequence[ChildObject]) -> dict[ChildObject, FoundObject] | None:
        """Look up the names of children that the caches do not have. Return the objects of these names.

        Return None if one is taken, which is noted. Raise `KubeError` if the API server is away.
        """
        found = dict(zip(children, await finish_all(self._find(write, child) for child in children), strict=True))
        is_taken = False
        for child, existing in found.items():
            if existing is not None and existing.ownership is Ownership.FOREIGN:
                write.memory.record_taken(child, existing.owner)
                is_taken = True
            else:
                write.memory.forget_taken(child)
        return None if is_taken else {child: existing for child, existing in found.items() if existing is not None}

    async def create(self, write: Write, child: ChildObject, found: FoundObject | None) -> bool:
        """Write a child that the caches do not have, and return whether it exists. `found` is what was looked up."""
        if found is None:
            known = write.memory.known.get(child.applied)
            is_written = await self._write(write, child, None)
            if known is not None and is_written and write.memory.known.get(child.applied) != known:
                write.memory.record_edit(child, DELETED)
            return is_written
        # The watch is behind. It reports when the name of a predecessor's object is free.
        return await self._adopt(write, child, found)

    async def update(self, write: Write, child: ChildObject, observed: ObservedChild) -> bool:
        """Apply a child to an observed object, and return whether that was accepted."""
        if child.kind == "Deployment" and child.service in write.autoscaled:
            await self._hand_over_replicas(write, child, observed)
        edited = await self._edited(child, observed) if observed.applied == child.applied else None
        return await self._write(write, child, observed.uid, edited=edited)

    async def _hand_over_replicas(self, write: Write, child: ChildObject, observed: ObservedChild) -> None:
        """Keep the number of replicas of a service that leaves it to its autoscaler from now on.

        Otherwise the API server would set it to one, as of a field that no manager owns, until the autoscaler acts.
        """
        body = await write.renderer.body(child)
        if body is None or "replicas" in body["spec"] or observed.replicas is None:
            return
        kept = {"apiVersion": body["apiVersion"], "kind": body["kind"], "spec": {"replicas": observed.replicas}}
        metadata = {"name": child.key.name, "namespace": child.key.namespace, "uid": observed.uid}
        async with self._slots:
            with contextlib.suppress(ApiError):  # the service runs without it
                await self._client.apply(
                    BY_KIND[child.kind],
                    child.key.namespace,
                    {**kept, "metadata": metadata},
                    manager=names.REPLICAS_FIELD_MANAGER,
                )

    async def _edited(self, child: ChildObject, observed: ObservedChild) -> Json | None:
        """Return an object that has the desired hash and is another version: another client has written it.

        What was changed shows when it is put back. None if it cannot be read: nothing is put back later for that.
        """
        async with self._slots:
            try:
                body = await self._client.get(BY_KIND[child.kind], *child.key)
            except ApiError:
                return None
        meta = fields.mapping(body, "metadata")
        applied = fields.texts(meta, "annotations").get(names.ANNOTATION_APPLIED)
        return body if (fields.text(meta, "uid"), applied) == (observed.uid, child.applied) else None

    async def _adopt(self, write: Write, child: ChildObject, found: FoundObject) -> bool:
        if found.ownership is not Ownership.OURS:
            return False
        return found.terminating or await self._write(write, child, found.uid)

    async def _write(
        self,
        write: Write,
        child: ChildObject,
        uid: str | None,
        version: str | None = NO_VERSION,
        *,
        edited: Json | None = None,
    ) -> bool:
        """Write a child and return whether it exists: to the object of that uid, or as a new one.

        `edited` is an object of which it is recorded what the write puts back.
        """
        try:
            async with self._slots:
                if (body := await write.renderer.body(child)) is None:
                    return False
                answer = await (self._create(child, body, version) if uid is None else self._apply(child, body, uid))
        except ApiError as error:
            return await self._refused(write, child, uid, version, error)
        write.memory.forget_problem(child)
        if edited is not None and (edit := read_edit(edited, answer, body)) is not None:
            write.memory.record_edit(child, edit)
        try:
            facts = self._caches.put(child.kind, answer)
        except Unreadable:
            return True  # the watch reports it once it can be read
        write.memory.known[child.applied] = KnownVersion(facts.uid, facts.revision)
        return True

    async def _refused(
        self, write: Write, child: ChildObject, uid: str | None, version: str | None, error: ApiError
    ) -> bool:
        """Note why a write was refused, or write what was found instead. Return whether the child exists."""
        if error.namespace_terminating:
            return False  # the resource is deleted with it
        if error.status in OTHERS:
            found = await self._find(write, child)
            if found is not None and found.ownership is Ownership.FOREIGN:
                write.memory.record_taken(child, found.owner)
                return False
            if uid is None and isinstance(error, Conflict):
                if found is not None:
                    return await self._adopt(write, child, found)
                if version is not None:  # gone again, or an API server that creates no object with a version
                    return await self._write(write, child, None, None)
        if error.status not in REFUSALS:
            raise error
        write.memory.record(child, Problem(REFUSALS[error.status], untrusted_text(error.message)))
        return False

    async def _find(self, write: Write, child: ChildObject) -> FoundObject | None:
        async with self._slots:
            try:
                body = await self._client.get(BY_KIND[child.kind], *child.key)
            except NotFound:
                return None
        return found_object(child.kind, body, write.owner)

    async def _create(self, child: ChildObject, body: Json, version: str | None) -> Json:
        """Create an object, or raise `Conflict` if there is one of its name."""
        resource, namespace = BY_KIND[child.kind], child.key.namespace
        manager = names.OPERATOR_FIELD_MANAGER
        if child.kind in POSTED:
            return await self._client.create(resource, namespace, body, manager=manager)
        body = body if version is None else _with_metadata(body, resourceVersion=version)
        return await self._client.apply(resource, namespace, body, manager=manager, force=False)

    async def _apply(self, child: ChildObject, body: Json, uid: str) -> Json:
        """Apply an object to the one of that uid, and to no other."""
        return await self._client.apply(
            BY_KIND[child.kind],
            child.key.namespace,
            _with_metadata(body, uid=uid),
            manager=names.OPERATOR_FIELD_MANAGER,
        )


async def finish_all(requests: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Wait for all requests, also when one fails: a running write would collide with the next reconciliation."""
    results = await asyncio.gather(*map(counted, requests), return_exceptions=True)
    done: list[T] = []
    for each in results:
        if isinstance(each, BaseException):
            raise each
        done.append(each)
    return done


def _with_metadata(body: Json, **metadata: str) -> Json:
    return {**body, "metadata": {**body["metadata"], **metadata}}
