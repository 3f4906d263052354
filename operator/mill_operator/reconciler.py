"""One pass over one MillDeployment.

Level-triggered: every pass starts from what is in the cluster, and the rollout's state is in the resource's status.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from mill_api.status import MillDeploymentStatus
from mill_kube.client import KubeClient, KubeError, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key
from mill_operator.caches import Caches, ObservedMillDeployment
from mill_operator.children import RETRY_SECONDS, ChildWriter
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import (
    late_pod_lookups,
    leftovers,
    of_this_resource,
    plan,
    pods_to_replace,
    postponed,
)
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.objects.rendering import MAX_SPEC_BYTES, DesiredState
from mill_operator.core.observed.lookup_results import NOTHING_KNOWN
from mill_operator.core.observed.pods import ChildFacts, PodFacts
from mill_operator.core.rollout.advance import advance
from mill_operator.core.rollout.conditions import conditions
from mill_operator.core.rollout.start import refuse_rollout
from mill_operator.core.tasks.status import observe, outliving
from mill_operator.core.verdicts.judge import Observation
from mill_operator.cpu_time import ThreadOffload
from mill_operator.internal_errors import InternalErrorReporter
from mill_operator.judging import judge_all
from mill_operator.lookups import Lookups
from mill_operator.memory import Memory
from mill_operator.publisher import OnWrite, Publisher
from mill_operator.recorder import Recorder
from mill_operator.renderer import Renderer, Rollback
from mill_process.logs import about

log = logging.getLogger(__name__)

OnInternalError: TypeAlias = Callable[[Key, str], None]
"""Told of each `service` or `task` that could not be rendered or judged in a pass."""

DRAIN_SECONDS = 2.0
"""How long a stop may take for the sake of Events."""


class Reconciler:
    """Makes passes. The same key must not be worked on twice at once."""

    def __init__(
        self,
        client: KubeClient,
        caches: Caches,
        options: RenderOptions,
        now: Callable[[], datetime],
        on_write: OnWrite = lambda *_: None,
        on_internal_error: OnInternalError = lambda *_: None,
        max_spec_bytes: int = MAX_SPEC_BYTES,
    ) -> None:
        self._client = client
        self._options = options
        self._max_spec_bytes = max_spec_bytes
        self._offload = ThreadOffload()
        self._caches = caches
        self._now = now
        self._memory: dict[Key, Memory] = {}
        self._children = ChildWriter(client, caches)
        self._lookups = Lookups(client)
        self._recorder = Recorder(client, now)
        self._publisher = Publisher(client, self._recorder, on_write)
        self._failing = InternalErrorReporter(client, self._memory, self._recorder, now, on_write)
        self._on_internal_error = on_internal_error

    async def reconcile(self, key: Key) -> float | None:
        """Make one pass. Return after how many seconds to make another though nothing happens.

        Raise `KubeError` if the API server is away or refuses what it should not. Whatever it raises: `failed` is to be
        told.
        """
        resource = self._caches.mill_deployments.get(key)
        if resource is None or resource.terminating:
            self._memory.pop(key, None)  # the garbage collector has it now; whoever writes would fight it
            self._failing.over(key)
            return None
        wait = await self._reconcile(resource)
        self._failing.over(key)
        return wait

    async def failed(self, key: Key, internal_error: InternalError) -> None:
        """Note that a pass has failed by a fault of ours; if that goes on, the status tells it. Raise `KubeError`."""
        resource = self._caches.mill_deployments.get(key)
        if resource is None or resource.terminating:
            self._failing.over(key)
        else:
            await self._failing.failed(resource, internal_error)

    async def _reconcile(self, resource: ObservedMillDeployment) -> float | None:
        key = resource.key
        memory = self._memory_of(resource)
        wanted = await self._desired_state(resource, memory)
        memory.status = memory.status.model_copy(update={"warnings": list(memory.warnings)})
        wait = None
        if isinstance(wanted, str):
            self._refuse(resource, memory, wanted)
        else:
            wait = await self._roll_out(resource, memory, wanted)
        wait = _soonest(wait, await self._look_at_tasks(resource, memory))
        wait = _soonest(wait, await self._publisher.publish(key, memory))
        memory.statuses.compact()
        return wait

    async def flush(self) -> None:
        """Write every status that waits for its time, and post the Events of it."""
        for key, memory in self._memory.items():
            if memory.statuses.is_compact:
                continue
            # A status that was not written is made again from the cluster.
            try:
                await self._publisher.flush(key, memory)
            except KubeError as error:
                log.debug("%s: the status was not written: %s", key, error, extra=about(key))
            except Exception:
                log.exception("%s: unexpected error", key, extra=about(key))
        await self._recorder.drain(DRAIN_SECONDS)

    def _memory_of(self, resource: ObservedMillDeployment) -> Memory:
        memory = self._memory.get(resource.key)
        if memory is None or memory.uid != resource.uid:
            memory = self._memory[resource.key] = Memory.of(resource)
        return memory

    async def _desired_state(self, resource: ObservedMillDeployment, memory: Memory) -> DesiredState | str:
        """Return what should exist, or what is wrong with the spec."""
        size = 0 if memory.is_known(resource) else resource.packed_spec.size
        return await self._offload.run(size, memory.desired_state, resource, self._options, self._max_spec_bytes)

    def _refuse(self, resource: ObservedMillDeployment, memory: Memory, reason: str) -> None:
        status, now = memory.status, self._now()
        if status.rollout is None or status.rollout.id != resource.rollout_id:
            memory.status = refuse_rollout(
                status, reason, generation=resource.generation, rollout_id=resource.rollout_id, now=now
            )
        else:  # what passes before this one have said of themselves is over
            memory.status = status.model_copy(update={"conditions": conditions(status, status.conditions, now)})

    async def _look_at_tasks(self, resource: ObservedMillDeployment, memory: Memory) -> float | None:
        """Note what became of the tasks' runs, which are no part of any rollout."""
        now = self._now()
        look = partial(
            observe,
            self._caches.jobs(resource),
            self._caches.run_pods(resource.key),
            memory.status.tasks,
            problems=memory.task_problems(),
            now=now,
        )
        seen = look()
        if seen.questions:
            seen = look(answers=await self._lookups.answer(seen.questions))
        unrendered = memory.desired.tasks.items() if isinstance(memory.desired, DesiredState) else ()
        self._report_internal_errors(resource.key, memory, "task", [*unrendered, *seen.internal_errors])
        memory.status = memory.status.model_copy(update={"tasks": seen.tasks, "active_runs": seen.active})
        return None if seen.wake_at is None else (seen.wake_at - now) / timedelta(seconds=1)

    async def _roll_out(self, resource: ObservedMillDeployment, memory: Memory, wanted: DesiredState) -> float | None:
        starts = memory.status.rollout is None or memory.status.rollout.id != resource.rollout_id
        if starts:
            memory.writes.problems.clear()  # somebody asks again
            memory.rollback_hashes.clear()
        older = partial(self._children.older_template, resource.key)
        renderer = Renderer(resource, wanted, self._options, self._offload, older)
        held = {} if starts else await self._rollbacks(resource, memory, wanted, renderer)
        wanted = memory.desired = wanted.with_internal_errors(renderer.internal_errors)
        children = renderer.with_rollbacks(held, wanted.children)
        # What this pass brings about may be here before the pass is over: only what stands now can be stale.
        standing = self._caches.pods(resource.key)
        later = postponed(wanted.services, standing, self._now())
        if not await self._write(resource, memory, wanted, children, renderer, later):
            return None
        wanted = memory.desired = wanted.with_internal_errors(renderer.internal_errors)
        pods, there = self._see(resource)
        now = self._now()
        observations = await self._observe(memory, wanted, children, pods, there, now)
        if starts:
            stale = pods_to_replace(observations, [pod for pod in standing if pod in pods])
            await self._children.renew(stale)
            pods = [pod for pod in pods if pod not in stale]
            observations = await self._observe(memory, wanted, children, pods, there, now, afresh=True)
        self._report_internal_errors(
            resource.key,
            memory,
            "service",
            [(each.service, each.internal_error) for each in observations if each.internal_error],
        )
        answers = await self._lookups.answer(late_pod_lookups(memory.status.services, pods, now))
        names = [service.name for service in wanted.services]
        step = advance(
            memory.status,
            observations,
            generation=resource.generation,
            rollout_id=resource.rollout_id,
            leftovers=leftovers(names, there, pods, owner=resource.owner, nodes=answers.nodes),
            rolled_back=held,
            now=now,
        )
        memory.status = step.status
        moments = [step.wake_at, *later.values()]
        if _rolled_back(memory.written) != _rolled_back(step.status):
            moments.append(now)  # once the evidence is written, the version before can come back
        return _soonest(
            *((moment - now) / timedelta(seconds=1) for moment in moments if moment is not None),
            RETRY_SECONDS if memory.writes.problems else None,
        )

    def _report_internal_errors(
        self, key: Key, memory: Memory, kind: str, internal_errors: Iterable[tuple[str, InternalError]]
    ) -> None:
        """Count what could not be rendered or judged in this pass, and log what was not logged before."""
        found = {f"{kind} {name}": internal_error for name, internal_error in internal_errors}
        for name, internal_error in found.items():
            self._on_internal_error(key, kind)
            if memory.internal_errors.get(name) != internal_error.id:
                log.error(
                    "%s: %s: internal error (%s)\n%s",
                    key,
                    name,
                    internal_error,
                    internal_error.details,
                    extra=about(key),
                )
        others = {name: known for name, known in memory.internal_errors.items() if not name.startswith(f"{kind} ")}
        memory.internal_errors = others | {name: internal_error.id for name, internal_error in found.items()}

    async def _write(
        self,
        resource: ObservedMillDeployment,
        memory: Memory,
        wanted: DesiredState,
        children: Sequence[ChildObject],
        renderer: Renderer,
        later: Collection[str],
    ) -> bool:
        """Bring the children to what is wanted. Return False if the resource turns out to be gone."""
        observed = self._caches.children(resource.key)
        memory.writes.keep(children, observed)
        todo = plan(
            children,
            observed,
            owner=resource.owner,
            revisions=memory.writes.revisions,
            postponed=later,
            unrendered=wanted.unrendered,
        )
        known_already = memory.written.observed_generation >= resource.generation
        missing = any(memory.writes.problem(child) is None for child in todo.create)
        if missing and known_already and not await self._still_exists(resource):
            return False  # what we miss went with the resource, whose end is on its way to us
        if todo.delete:
            await self._children.adopt(resource.owner, outliving(self._caches.jobs(resource), todo.delete))
        await self._children.write(todo, memory.writes, renderer)
        return True

    def _see(self, resource: ObservedMillDeployment) -> tuple[list[PodFacts], list[ChildFacts]]:
        pods, children = self._caches.pods(resource.key), self._caches.children(resource.key)
        return of_this_resource(pods, children, owner=resource.owner, created=resource.created)

    async def _still_exists(self, resource: ObservedMillDeployment) -> bool:
        """Ask whether the resource is still what we know: watches of several kinds are not in step."""
        try:
            metadata = (await self._client.get(MILL_DEPLOYMENTS, *resource.key))["metadata"]
        except NotFound:
            return False
        return metadata["uid"] == resource.uid and "deletionTimestamp" not in metadata

    async def _rollbacks(
        self, resource: ObservedMillDeployment, memory: Memory, wanted: DesiredState, renderer: Renderer
    ) -> dict[str, Rollback]:
        """Return the services that are to go back to the version that worked.

        Only what is in the written status: whatever becomes of the failed pods then, their evidence is kept.
        """
        templates = {service.name: service.template for service in wanted.services}
        asked_again = _rolled_back(memory.written) - _rolled_back(memory.status)
        deployments = {each.service: each for each in wanted.children if each.kind == "Deployment"}
        held: dict[str, Rollback] = {}
        for service in memory.written.services:
            name, good = service.name, service.healthy_template
            if good is None or service.failed_template is None or name in asked_again:
                continue
            if templates.get(name) != service.failed_template:
                continue
            if (child := deployments.get(name)) is None:
                continue
            known = (name, good, child.applied)
            if known not in memory.rollback_hashes:
                template = await self._children.older_template(resource.key, name, good)
                rendered = None if template is None else await renderer.with_template(child, template)
                if child.program in renderer.internal_errors:
                    continue
                memory.rollback_hashes[known] = None if rendered is None else rendered.child.applied
            if (applied := memory.rollback_hashes[known]) is not None:
                held[name] = Rollback(child, replace(child, applied=applied), good)
        return held

    async def _observe(
        self,
        memory: Memory,
        wanted: DesiredState,
        children: Sequence[ChildObject],
        pods: Sequence[PodFacts],
        there: Sequence[ChildFacts],
        now: datetime,
        *,
        afresh: bool = False,
    ) -> list[Observation]:
        """Judge every service, and once more if something was worth a question.

        `afresh` forgets since when something has been wrong: somebody asks right now.
        """
        seen = await judge_all(memory, wanted, children, pods, there, NOTHING_KNOWN, now, afresh=afresh)
        if questions := {question for each in seen for question in each.questions}:
            answers = await self._lookups.answer(questions)
            seen = await judge_all(memory, wanted, children, pods, there, answers, now, afresh=afresh)
        return seen


def _rolled_back(status: MillDeploymentStatus) -> set[str]:
    return {service.name for service in status.services if service.failed_template is not None}


def _soonest(*waits: float | None) -> float | None:
    return min((wait for wait in waits if wait is not None), default=None)
