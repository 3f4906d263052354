"""The revision of each rollout: kept before the first status of it, and completed when it has ended.

Whatever the API server refuses of it stops no rollout: it is reported, and tried again.
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Final

from mill_api.revisions import Revision, revision_name
from mill_api.rollouts import Rollout
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.children.revisions import Changes, NoName, Revisions
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.rollout.revisions import (
    RevisionProblem,
    Step,
    asked_of,
    earlier_task_annotations,
    first_annotations,
    is_revision_of,
    last_annotations,
    newest,
    newly_succeeded,
    next_step,
    restarted_annotations,
    result_of_earlier,
    superfluous,
    task_annotations,
)
from mill_operator.memory import Memory
from mill_process.logs import about

log = logging.getLogger(__name__)

_RETRY: Final = timedelta(seconds=30)
_NOT_READABLE: Final = (403, 404)
_REFUSED: Final = (403, 422)
"""Statuses of refusals that trying again does not change."""


class RevisionKeeper:
    """Keeps the revisions of MillDeployments."""

    def __init__(self, client: KubeClient, now: Callable[[], datetime], *, keeps: bool = True) -> None:
        self._keeps = keeps
        self._client = client
        self._revisions = Revisions(client)
        self._now = now

    async def begin(self, resource: ObservedMillDeployment, memory: Memory) -> float | None:
        """Keep the spec of a rollout that has begun, and set its revision in the status.

        Return the seconds after which to try again. Raise `KubeError` if the API server does not answer.
        """
        if self._next_step(resource, memory) is not Step.BEGIN:
            return None

        async def begin(rollout: Rollout) -> Rollout:
            return rollout.model_copy(update={"revision": await self._kept(resource, memory, rollout)})

        return await self._attempt(resource, memory, begin)

    async def end(self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot) -> float | None:
        """Note the result of a rollout that has finished, as soon as the API server has the status that says so.

        Return the seconds after which to try again. Raise `KubeError` if the API server does not answer.
        """
        if self._next_step(resource, memory) is not Step.END:
            return None
        status = memory.status

        async def end(rollout: Rollout) -> Rollout:
            pods: dict[str, list[ObservedPod]] = {}
            for pod in snapshot.pods:
                pods.setdefault(pod.service, []).append(pod)
            result = last_annotations(rollout, status.services, pods)
            tasks = status.rollout_tasks
            await self._annotate(resource, rollout, lambda known: result | task_annotations(known, tasks))
            return rollout.model_copy(update={"recorded": True})

        return await self._attempt(resource, memory, end)

    async def note_tasks(self, resource: ObservedMillDeployment, memory: Memory) -> None:
        """Note the tasks that have succeeded, before the status has it and services begin.

        Raise `KubeError` if the API server does not answer.
        """
        rollout, tasks = memory.status.rollout, memory.status.rollout_tasks
        succeeded = newly_succeeded(memory.written.rollout_tasks, tasks)
        if not self._keeps or not succeeded:
            return
        current = {(each.name, each.version) for each in tasks}
        earlier = succeeded - current
        try:
            if earlier:
                await self._note_earlier(resource, earlier)
            if rollout is not None and succeeded & current:
                await self._annotate(resource, rollout, lambda known: task_annotations(known, tasks))
        except ApiError as error:
            _report(resource, f"the success of tasks cannot be noted in revisions: {error}")

    async def _note_earlier(self, resource: ObservedMillDeployment, succeeded: Collection[tuple[str, str]]) -> None:
        for each in await self.all(resource):
            if earlier_task_annotations(each, succeeded):
                await self._revisions.annotate(
                    resource.owner, each.name, lambda known: earlier_task_annotations(known, succeeded)
                )

    async def to_look_up(self, resource: ObservedMillDeployment, memory: Memory) -> list[Revision]:
        """Return the revisions before a run of a task: with the present spec as the newest, also if it is not kept yet.

        Whether the rollout goes back must not depend on that: a rollback of one service would migrate again. Raise
        `KubeError`.
        """
        known, rollout = await self.all(resource), memory.status.rollout
        if not self._keeps or rollout is None or rollout.revision is not None:
            return known
        if (found := await self._current(resource)) is None:
            return known
        metadata, spec = found
        last = newest(known)
        if is_revision_of(last, spec):
            return known
        number = 1 if last is None else last.revision + 1
        name = revision_name(resource.key.name, number)
        return [*known, Revision(number, name, spec, asked=asked_of(metadata, spec))]

    async def all(self, resource: ObservedMillDeployment) -> list[Revision]:
        """Return the revisions; none if they must not be read. Raise `KubeError`."""
        if not self._keeps:
            return []
        try:
            return await self._revisions.all(resource.owner)
        except ApiError as error:
            if error.status not in _NOT_READABLE:
                raise
            _report(resource, f"the revisions cannot be read: {error}")
            return []

    def _next_step(self, resource: ObservedMillDeployment, memory: Memory) -> Step:
        return next_step(memory.status, memory.written, resource.rollout_id) if self._keeps else Step.NONE

    async def _attempt(
        self, resource: ObservedMillDeployment, memory: Memory, step: Callable[[Rollout], Awaitable[Rollout]]
    ) -> float | None:
        now, problem, rollout = self._now(), memory.revision_problem, memory.status.rollout
        if rollout is None:
            return None
        if problem is not None and now < problem.retry_at:
            return (problem.retry_at - now).total_seconds()
        try:
            rollout = await step(rollout)
        except (ApiError, NoName) as error:
            memory.revision_problem = RevisionProblem(str(error), now + _RETRY)
            if problem is None or problem.text != str(error):
                _report(resource, f"the revision cannot be kept: {error}")
            return _RETRY.total_seconds()
        memory.revision_problem = None
        memory.status = memory.status.model_copy(update={"rollout": rollout})
        return None

    async def _kept(self, resource: ObservedMillDeployment, memory: Memory, rollout: Rollout) -> int | None:
        """Keep the spec, and return the number of its revision; None if the resource has another one by now."""
        owner = resource.owner
        if (found := await self._current(resource)) is None:
            return None  # the watch will report it
        metadata, spec = found
        known = await self._revisions.all(owner)
        last = newest(known)
        if last is not None and is_revision_of(last, spec):
            if last.rollout != rollout.id:
                await self._revisions.annotate(owner, last.name, lambda known: restarted_annotations(known, rollout.id))
            return last.revision
        if last is not None:  # before the new one is there: with it, no one comes back to this
            await self._end_earlier(resource, memory, last)
        first = 1 if last is None else last.revision + 1
        number = await self._revisions.create(owner, first, spec, first_annotations(rollout.id, metadata, spec))
        new = Revision(number, revision_name(owner.key.name, number), spec)
        await self._revisions.delete(owner, superfluous([*known, new]))
        return number

    async def _current(self, resource: ObservedMillDeployment) -> tuple[JsonView, JsonView] | None:
        """Return metadata and spec of the resource; None if it has another spec by now."""
        try:
            body = await self._client.get(MILL_DEPLOYMENTS, *resource.key)
        except NotFound:
            return None
        metadata, spec = fields.mapping(body, "metadata"), fields.mapping(body, "spec")
        same = (metadata.get("uid"), metadata.get("generation")) == (resource.uid, resource.generation)
        return (metadata, spec) if same else None

    async def _end_earlier(self, resource: ObservedMillDeployment, memory: Memory, last: Revision) -> None:
        """Note the result of the revision before, if its rollout has ended without."""
        if not (changes := result_of_earlier(last, memory.status.history)):
            return
        try:
            await self._revisions.annotate(resource.owner, last.name, lambda _: changes)
        except ApiError as error:
            if error.status not in _REFUSED:
                raise  # else it is tried again, with the new one
            _report(resource, f"the result of revision {last.revision} cannot be noted: {error}")

    async def _annotate(
        self, resource: ObservedMillDeployment, rollout: Rollout, change: Callable[[Revision], Changes]
    ) -> None:
        """Change annotations of the revision of a rollout, unless someone has deleted it."""
        if rollout.revision is not None:
            name = revision_name(resource.key.name, rollout.revision)
            await self._revisions.annotate(resource.owner, name, change)


def _report(resource: ObservedMillDeployment, text: str) -> None:
    log.warning("%s: %s", resource.key, text, extra=about(resource.key, kind="ControllerRevision"))
