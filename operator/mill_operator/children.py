"""Writes of child objects: server-side apply of changes, deletion of what is not desired, replacement of stale pods.

A write that the API server refuses, or a name that belongs to another owner, is a `Problem` of that child alone: the
others are written. It is tried again when the child changes, when a rollout starts, and after `WRITE_RETRY`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from mill_api import names
from mill_api.owner import Owner
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, NotFound
from mill_kube.resources import BY_KIND, JOBS, PODS, REPLICA_SETS
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.core import limits
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import Plan
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.foreign_text import name, untrusted_text
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.reconcile import WRITE_RETRY
from mill_operator.core.verdicts.rule_input import Problem, ProblemKind
from mill_operator.cpu_time import counted
from mill_operator.renderer import Renderer
from mill_process.logs import about

log = logging.getLogger(__name__)

PARALLEL_WRITES = 16
REFUSALS: Final[Mapping[int, ProblemKind]] = {400: "refused", 403: "refused", 422: "refused", 500: "blocked"}
"""HTTP statuses that concern one object, and the kind of problem that each is. 500: its admission webhook is broken."""
REPLICA_SETS_AT_ONCE = 10
"""ReplicaSets in one page of a list. Usually there is one; other users may have put our labels on any number."""
REPLICA_SET_HASH = "pod-template-hash"
"""A label that the Deployment controller adds to each version's pods."""


@dataclass(slots=True)
class WriteMemory:
    """The state of the operator's writes for one MillDeployment. May be lost."""

    revisions: dict[str, str] = field(default_factory=dict)
    """The revision that the operator's last write gave a child, by its uid."""
    problems: dict[str, tuple[Problem, float]] = field(default_factory=dict)
    """Why a child could not be written, and when on the monotonic clock it is tried again, by its hash."""

    def keep(self, children: Iterable[ChildObject], observed: Iterable[ObservedChild]) -> None:
        """Forget everything about other children than these."""
        uids, hashes = {each.uid for each in observed}, {child.applied for child in children}
        self.revisions = {uid: self.revisions[uid] for uid in uids if uid in self.revisions}
        self.problems = {applied: why for applied, why in self.problems.items() if applied in hashes}

    def problem(self, child: ChildObject) -> Problem | None:
        """Return why a child could not be written."""
        found = self.problems.get(child.applied)
        return found[0] if found else None

    def current_problems(self) -> dict[str, Problem]:
        """Return why children could not be written, by their hash."""
        return {applied: problem for applied, (problem, _) in self.problems.items()}


class ChildWriter:
    """Writes the children of all MillDeployments, at most `PARALLEL_WRITES` at once."""

    def __init__(self, client: KubeClient, caches: Caches) -> None:
        self._client = client
        self._caches = caches
        self._slots = asyncio.Semaphore(PARALLEL_WRITES)

    async def write(self, todo: Plan, memory: WriteMemory, renderer: Renderer) -> None:
        """Carry out a plan, with contents that `renderer` makes. Raise `KubeError` if the API server is away."""
        for child, found in todo.taken:
            _record_problem(
                memory, child, Problem("taken", f'{child.kind} "{child.key.name}" belongs to {found.owner}')
            )
        apply = partial(self._apply, memory, renderer)
        writes = [(child.kind, partial(apply, child, None)) for child in todo.create]
        writes += [(child.kind, partial(apply, child, found.uid)) for child, found in todo.update]
        writes += [(found.kind, partial(self._delete, found)) for found in todo.delete]
        # Deployments first: their pods take longest, and do not wait for the other objects.
        for first in (True, False):
            await _finish_all(write() for kind, write in writes if (kind == "Deployment") is first)

    async def adopt(self, owner: Owner, jobs: Iterable[ObservedJob]) -> None:
        """Make the MillDeployment itself an owner of Jobs: they are deleted with it, and not before."""
        await _finish_all(self._adopt(owner, job) for job in jobs)

    async def replace_pods(self, pods: Iterable[ObservedPod]) -> None:
        """Delete pods, so that their controller makes new ones."""
        await _finish_all(map(self._replace_pod, pods))

    async def older_template(self, resource: ObservedMillDeployment, service: str, template: str) -> Json | None:
        """Return the pod template of an older version of a service, by its hash, as its ReplicaSet keeps it.

        Any user can put our labels on a ReplicaSet: only those of the service's Deployment count.
        """
        key, children = resource.key, self._caches.snapshot(resource).all_children
        owners = {each.uid for each in children if each.kind == "Deployment" and each.key.name == service}
        labels = (
            f"{names.LABEL_DEPLOYMENT}={key.name},{names.LABEL_SERVICE}={service},{names.LABEL_TEMPLATE}={template}"
        )
        after: str | None = None
        while True:
            answer = await self._client.list(
                REPLICA_SETS, key.namespace, labels=labels, limit=REPLICA_SETS_AT_ONCE, after=after
            )
            found = (each for each in fields.mappings(answer, "items") if _controller(each) in owners)
            if kept := next((kept for each in found if (kept := template_of(each))), None):
                return kept
            after = fields.text(fields.mapping(answer, "metadata"), "continue")
            if not after:
                return None

    async def _apply(self, memory: WriteMemory, renderer: Renderer, child: ChildObject, uid: str | None) -> None:
        """Apply a child. `uid` is that of the observed object; without one, the API server is asked first."""
        _, again = memory.problems.get(child.applied, (None, 0.0))
        if time.monotonic() < again:
            return
        resource = BY_KIND[child.kind]
        async with self._slots:
            if uid is None and (found := await self._find(child)) is not None:
                if not _is_child_of(renderer.deployment, found):
                    _record_problem(
                        memory, child, Problem("taken", f'{child.kind} "{child.key.name}" belongs to {_owner(found)}')
                    )
                    return
                uid = fields.text(fields.mapping(found, "metadata"), "uid") or None
            if (body := await renderer.body(child)) is None:
                return
            try:
                answer = await self._client.apply(
                    resource, child.key.namespace, _with_uid(body, uid), manager=names.OPERATOR_FIELD_MANAGER
                )
            except ApiError as error:
                if error.namespace_terminating:
                    return  # the resource is deleted with it
                if error.status not in REFUSALS:
                    raise
                _record_problem(memory, child, Problem(REFUSALS[error.status], untrusted_text(error.message)))
                return
        memory.problems.pop(child.applied, None)
        try:
            facts = self._caches.put(child.kind, answer)
        except Unreadable:
            return  # it is written; the watch reports it once it can be read
        memory.revisions[facts.uid] = facts.revision

    async def _find(self, child: ChildObject) -> dict[str, Any] | None:
        try:
            return await self._client.get(BY_KIND[child.kind], *child.key)
        except NotFound:
            return None

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


async def _finish_all(writes: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all writes, also when one fails: a running write would collide with the next reconciliation."""
    results = await asyncio.gather(*map(counted, writes), return_exceptions=True)
    failed = [each for each in results if each is not None]
    if failed:
        raise failed[0]


def _record_problem(memory: WriteMemory, child: ChildObject, problem: Problem) -> None:
    short = replace(problem, message=problem.message[: limits.WRITE_PROBLEM_LENGTH])
    memory.problems[child.applied] = (short, time.monotonic() + WRITE_RETRY.total_seconds())


def _with_uid(body: dict[str, Any], uid: str | None) -> dict[str, Any]:
    """Return a body that is applied only to the object of that uid."""
    return body if uid is None else {**body, "metadata": {**body["metadata"], "uid": uid}}


def _is_child_of(deployment: str, found: dict[str, Any]) -> bool:
    """Return whether an object that the cache does not have belongs to that MillDeployment: the watch is behind."""
    labels = fields.texts(fields.mapping(found, "metadata"), "labels")
    expected = {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_DEPLOYMENT: deployment}
    return all(labels.get(name) == value for name, value in expected.items())


def _owner(found: dict[str, Any]) -> str:
    """Return a name for the owner of an object, in one line."""
    return name(_raw_owner(found))


def _raw_owner(found: dict[str, Any]) -> str:
    meta = fields.mapping(found, "metadata")
    for owner in fields.mappings(meta, "ownerReferences"):
        return f"{fields.text(owner, 'kind')} {fields.text(owner, 'name')}"
    labels = fields.texts(meta, "labels")
    if deployment := labels.get(names.LABEL_DEPLOYMENT):
        return f"MillDeployment {deployment}"
    if manager := labels.get(names.LABEL_MANAGED_BY):
        return manager
    # The writer of the status (a built-in controller) does not own the object.
    writes = (each for each in fields.mappings(meta, "managedFields") if not fields.text(each, "subresource"))
    return next((writer for each in writes if (writer := fields.text(each, "manager"))), "another owner")


def _controller(found: Mapping[str, Any]) -> str:
    """Return the uid of an object's controller; empty if it has none."""
    owners = fields.mappings(fields.mapping(found, "metadata"), "ownerReferences")
    return next((fields.text(each, "uid") for each in owners if fields.flag(each, "controller")), "")


def template_of(replica_set: Mapping[str, Any]) -> Json | None:
    """Return the pod template of a ReplicaSet, as the operator applied it; None if it has none."""
    kept = fields.mapping(replica_set, "spec", "template")
    meta, spec, _ = fields.parts(kept)
    if not spec:
        return None
    labels = {name: value for name, value in fields.texts(meta, "labels").items() if name != REPLICA_SET_HASH}
    return {"metadata": {"labels": labels, "annotations": fields.texts(meta, "annotations")}, "spec": dict(spec)}
