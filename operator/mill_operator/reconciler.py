"""The reconciliation of one MillDeployment: snapshot, decide, write, look up, decide, publish.

It is level-triggered: each reconciliation starts from the caches, and the rollout's state is in the resource's status.
The decisions are those of `core.reconcile`; this module reads, writes and waits.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from mill_kube.client import KubeClient
from mill_kube.errors import KubeError
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.children.applier import Write
from mill_operator.children.old_files import collect_old_files
from mill_operator.children.writer import ChildWriter
from mill_operator.core import limits
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects.old_files import unwanted_files
from mill_operator.core.objects.pods import DEFAULTS, RenderOptions
from mill_operator.core.objects.rendering import DesiredState, InvalidSpec
from mill_operator.core.objects.tls import former_names
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.reconcile.goal import Goal, starts_rollout
from mill_operator.core.reconcile.next_status import decide_status, paused_status, refused_status
from mill_operator.core.reconcile.observations import (
    Observations,
    Situation,
    leftover_lookups,
    observe_services,
    stale_pods,
)
from mill_operator.core.reconcile.writes import Writes, decide_writes
from mill_operator.core.rollout.put_back import autoscaled_services
from mill_operator.core.rollout.updates import begin_updates, count_updating
from mill_operator.core.rollout_tasks.holds import holds
from mill_operator.cpu_time import ThreadOffload, paced
from mill_operator.internal_errors import InternalErrorReporter
from mill_operator.lookups import Lookups
from mill_operator.memory import Memory
from mill_operator.namespaces import NamespaceRulesLookup
from mill_operator.older_versions import OlderVersions
from mill_operator.publisher import OnWrite, Publisher
from mill_operator.recorder import Recorder
from mill_operator.release import release_name
from mill_operator.renderer import Renderer
from mill_operator.resource_requests import still_exists
from mill_operator.revisions import RevisionKeeper
from mill_operator.rollout_tasks import RolloutTasks
from mill_operator.routes import RouteGate
from mill_operator.tasks import observe_tasks
from mill_operator.update_places import UpdatePlaces
from mill_process.logs import about

log = logging.getLogger(__name__)

OnInternalError: TypeAlias = Callable[[Key, str], None]
"""Called with the key, and `service` or `task`."""

DRAIN_SECONDS = 2.0
"""How long a stop waits for Events."""


@dataclass(frozen=True, slots=True)
class ReconcilerOptions:
    """Settings of the reconciliation."""

    render: RenderOptions = DEFAULTS
    max_spec_bytes: int = limits.MAX_SPEC_BYTES
    """Bytes of a spec, as JSON, above which a new generation is refused."""
    keeps_revisions: bool = True
    """Whether the spec of each rollout is kept."""
    release: str = field(default_factory=release_name)
    """The release that updates services whose pod templates it renders otherwise than the one before."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Functions that a reconciler calls."""

    on_write: OnWrite = lambda *_: None
    """Called with every change of a status that was written."""
    on_internal_error: OnInternalError = lambda *_: None
    """Called for each service or task that a reconciliation could not render or judge."""


class Reconciler:
    """Reconciles MillDeployments. The same key must not be reconciled twice at once."""

    def __init__(
        self,
        client: KubeClient,
        caches: Caches,
        options: ReconcilerOptions,
        now: Callable[[], datetime],
        places: UpdatePlaces | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        hooks = hooks or Hooks()
        self._client = client
        self._options = options
        self._offload = ThreadOffload()
        self._caches = caches
        self._now = now
        self._memory: dict[Key, Memory] = {}
        self._children = ChildWriter(client, caches)
        self._lookups = Lookups(client)
        self._older_versions = OlderVersions(client, caches)
        self._recorder = Recorder(client, now)
        self._publisher = Publisher(client, self._recorder, hooks.on_write)
        self._reporter = InternalErrorReporter(client, self._memory, self._recorder, now, hooks.on_write)
        self._on_internal_error = hooks.on_internal_error
        self._places = places or UpdatePlaces()
        self._revisions = RevisionKeeper(client, now, keeps=options.keeps_revisions)
        self._rollout_tasks = RolloutTasks(client, caches, self._revisions)
        self._gate = RouteGate(caches.routes, NamespaceRulesLookup(client))

    async def reconcile(self, key: Key) -> float | None:
        """Reconcile a MillDeployment. Return the seconds after which to reconcile it again though nothing happens.

        Raise `KubeError` if the API server is away or refuses what it should not. After any error, call `failed`.
        """
        try:
            wait, places = await self._reconcile(key)
        except BaseException:
            self._places.failed(key)
            raise
        self._places.reconciled(key, places)
        return wait

    async def _reconcile(self, key: Key) -> tuple[float | None, int]:
        """Return the seconds to wait, and the number of places that its updates take."""
        resource = self._caches.mill_deployments.get(key)
        if resource is None or resource.terminating:
            self._memory.pop(key, None)  # the garbage collector deletes the children; writes would work against it
            self._reporter.clear(key)
            self._places.forget(key)
            self._gate.forget(key)
            return None, 0
        memory = self._memory_of(resource)
        if resource.paused:
            return await self._stay(resource, memory), 0
        ingresses = [each for each in self._caches.ingresses(key) if each.owner_uid == resource.uid]
        memory.former_tls = former_names(ingresses) if self._options.render.tls_issuer else frozenset()
        desired = await self._desired_state(resource, memory)
        route_warnings = await self._gate.warnings(key.namespace, ingresses, memory.status.warnings)
        problem = memory.revision_problem
        kept_warnings = [] if problem is None else [problem.warning]
        warnings = [*kept_warnings, *memory.warnings, *route_warnings][: limits.SPEC_WARNINGS]
        memory.status = memory.status.model_copy(update={"warnings": warnings})
        if isinstance(desired, InvalidSpec):
            memory.status = refused_status(resource, desired, memory.status, self._now())
            self._places.forget(key)
            self._gate.forget(key)
            rollout_wait, snapshot = None, self._caches.snapshot(resource)
        else:
            rollout_wait, snapshot = await self._roll_out(resource, memory, desired)
            rollout_wait = _soonest(rollout_wait, await self._collect_old_files(resource, memory, snapshot))
        places = count_updating(memory.status)
        return await self._report(resource, memory, snapshot, rollout_wait), places

    async def _stay(self, resource: ObservedMillDeployment, memory: Memory) -> float | None:
        """Leave a paused resource as it is, and report its runs, which people start. Return the seconds to wait."""
        self._places.forget(resource.key)
        self._gate.forget(resource.key)
        memory.status = paused_status(resource, memory.status, self._now())
        return await self._report(resource, memory, self._caches.snapshot(resource), None)

    async def _report(
        self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot, rollout_wait: float | None
    ) -> float | None:
        """Note the runs of tasks, and publish the status. Return the seconds to wait."""
        task_wait = await self._observe_tasks(resource, memory, snapshot)
        revision_wait = await self._revisions.begin(resource, memory)
        if resource.paused:
            await self._rollout_tasks.advance(resource, memory, snapshot, self._now())
        else:
            task_wait = _soonest(task_wait, await self._run_rollout_tasks(resource, memory, snapshot))
        write_wait = await self._publisher.publish(resource.key, memory)
        published = memory.status
        revision_wait = _soonest(revision_wait, await self._revisions.end(resource, memory, snapshot))
        if memory.status is not published:
            write_wait = _soonest(write_wait, await self._publisher.publish(resource.key, memory))
        memory.statuses.compact()
        self._reporter.clear(resource.key)
        return _soonest(rollout_wait, task_wait, revision_wait, write_wait)

    async def _run_rollout_tasks(
        self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot
    ) -> float | None:
        """Advance the tasks of the rollout: what is written of them comes before their Jobs and what they let begin."""
        before = memory.written.rollout_tasks
        await self._rollout_tasks.advance(resource, memory, snapshot, self._now())
        if not memory.status.rollout_tasks:
            return None
        wait = await self._publisher.publish(resource.key, memory)
        desired = memory.desired
        if isinstance(desired, DesiredState):
            renderer = self._renderer(resource, memory, desired)
            if await self._rollout_tasks.write(resource, memory, snapshot, renderer, self._now()):
                return 0.0
        return 0.0 if memory.written.rollout_tasks != before else wait

    async def failed(self, key: Key, internal_error: InternalError) -> None:
        """Note a reconciliation that failed by an internal error. If it repeats, the status reports it.

        Raise `KubeError`.
        """
        resource = self._caches.mill_deployments.get(key)
        if resource is None or resource.terminating:
            self._reporter.clear(key)
        else:
            await self._reporter.failed(resource, internal_error)
            if self._reporter.is_reported(key):
                self._places.forget(key)  # whether its services settle is not known, perhaps for long

    async def flush(self) -> None:
        """Write every status that the throttle delays, and post its Events."""
        for key, memory in self._memory.items():
            if memory.statuses.is_compact:
                continue
            # A status that was not written is made again from the cluster.
            try:
                await self._publisher.flush(key, memory)
            except KubeError as error:
                log.debug("%s: cannot write the status: %s", key, error, extra=about(key))
            except Exception:
                log.exception("%s: unexpected error", key, extra=about(key))
        await self._recorder.drain(DRAIN_SECONDS)

    def _memory_of(self, resource: ObservedMillDeployment) -> Memory:
        memory = self._memory.get(resource.key)
        if memory is None or memory.uid != resource.uid:
            memory = self._memory[resource.key] = Memory.of(resource)
        return memory

    async def _desired_state(self, resource: ObservedMillDeployment, memory: Memory) -> DesiredState | InvalidSpec:
        size = 0 if memory.is_known(resource) else resource.packed_spec.size
        options = self._options
        return await self._offload.run(size, memory.desired_state, resource, options.render, options.max_spec_bytes)

    async def _roll_out(
        self, resource: ObservedMillDeployment, memory: Memory, desired: DesiredState
    ) -> tuple[float | None, Snapshot]:
        """Write what differs from the desired state, and make the next status.

        Return the seconds to wait, and the snapshot that the status was made from.
        """
        starts = starts_rollout(resource, memory.status)
        if starts:
            memory.forget_failures()
        renderer = self._renderer(resource, memory, desired)
        rollbacks = {} if starts else await self._older_versions.rollbacks(resource, memory, desired, renderer)
        desired = memory.desired = desired.with_internal_errors(renderer.internal_errors)
        children = renderer.with_rollbacks(rollbacks, desired.children)
        held = holds(desired.rollout_tasks, memory.written.rollout_tasks, resource.rollout_id)
        goal = Goal(resource, desired, children, rollbacks, held)

        # The writes may bring about pods before they are done. Only pods of this snapshot can be stale.
        before = self._caches.snapshot(resource)
        updates = self._places.plan(goal, before, memory.status)
        memory.status = begin_updates(memory.status, updates.begins, self._options.release, self._now())
        goal = goal.with_waiting(updates.waits)
        memory.writes.keep(goal.children, before.children)
        writes = decide_writes(goal, before, memory.status, memory.writes.known, self._now())
        if not await self._write(resource, memory, writes, renderer):
            return None, before
        memory.writes.note_addresses(goal.children, writes.plan)

        memory.desired = desired.with_internal_errors(renderer.internal_errors)
        goal = replace(goal, desired=memory.desired).with_waiting(updates.waits)
        situation = self._situation(goal, memory)
        observations = await self._observe(situation)
        if starts:
            stale = stale_pods(observations, situation.snapshot, before)
            await self._children.replace_pods(stale)
            situation = replace(situation, snapshot=situation.snapshot.without_pods(stale))
            observations = await self._observe(situation, is_new_request=True)
        await self._children.replace_pods(observations.renewed_pods)
        self._report_internal_errors(resource.key, memory, "service", observations.internal_errors)
        results = await self._lookups.results(leftover_lookups(situation))
        decision = decide_status(situation, observations, results, writes.postponed)
        memory.status, memory.writes.edits = decision.status, dict(decision.waiting_edits)
        return _seconds(decision.wake_at, situation.now), situation.snapshot

    async def _write(
        self, resource: ObservedMillDeployment, memory: Memory, writes: Writes, renderer: Renderer
    ) -> bool:
        """Carry out the writes. Return False, without a write, if the resource turns out to be gone."""
        is_rolled_out = memory.written.observed_generation >= resource.generation
        todo = await self._gate.admitted(resource.key, memory.writes.due(writes.plan), memory.writes, renderer)
        if todo.create and is_rolled_out and not await still_exists(self._client, resource.key, resource.uid):
            self._gate.release(resource.key)
            return False  # the missing objects went with the resource; the watch will report its end
        if writes.adopt:
            await self._children.adopt(resource.owner, writes.adopt)
        autoscaled = autoscaled_services(memory.written)
        await self._children.write(todo, Write(resource.owner, memory.writes, renderer, autoscaled))
        self._gate.release(resource.key)
        return True

    async def _collect_old_files(
        self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot
    ) -> float | None:
        """Delete ConfigMaps of files that no version needs any more. Return the seconds to wait."""
        desired = memory.desired
        if not isinstance(desired, DesiredState):
            return None
        unwanted = unwanted_files(snapshot.children, desired.children, resource.owner, desired.unrendered)
        now = self._now()
        known = memory.old_files
        memory.old_files = await collect_old_files(self._client, self._children, resource.key, known, unwanted, now)
        return _seconds(memory.old_files.next_look, now)

    def _renderer(self, resource: ObservedMillDeployment, memory: Memory, desired: DesiredState) -> Renderer:
        older = partial(self._older_versions.template, resource)
        return Renderer(resource, desired, self._options.render, self._offload, older, memory.former_tls)

    def _situation(self, goal: Goal, memory: Memory) -> Situation:
        return Situation(
            goal=goal,
            snapshot=self._caches.snapshot(goal.resource),
            problems=memory.writes.current_problems(),
            status=memory.status,
            written=memory.written,
            now=self._now(),
            edits=memory.writes.edits,
        )

    async def _observe(self, situation: Situation, *, is_new_request: bool = False) -> Observations:
        async def services(results: LookupResults) -> Observations:
            return Observations(await paced(observe_services(situation, results, is_new_request=is_new_request)))

        return await self._lookups.observe(services)

    async def _observe_tasks(
        self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot
    ) -> float | None:
        """Note the runs of the tasks, which are no part of a rollout. Return the seconds to wait."""
        now = self._now()
        wake_at, internal_errors = await observe_tasks(self._lookups, memory, snapshot, now)
        self._report_internal_errors(resource.key, memory, "task", internal_errors)
        return _seconds(wake_at, now)

    def _report_internal_errors(
        self, key: Key, memory: Memory, kind: str, internal_errors: Mapping[str, InternalError]
    ) -> None:
        """Count the services or tasks that could not be rendered or judged, and log the new ones."""
        found = {f"{kind} {name}": error for name, error in internal_errors.items()}
        for name, error in found.items():
            self._on_internal_error(key, kind)
            if memory.internal_errors.get(name) != error.id:
                log.error("%s: %s: internal error (%s)\n%s", key, name, error, error.details, extra=about(key))
        others = {name: known for name, known in memory.internal_errors.items() if not name.startswith(f"{kind} ")}
        memory.internal_errors = others | {name: error.id for name, error in found.items()}


def _soonest(*waits: float | None) -> float | None:
    return min((wait for wait in waits if wait is not None), default=None)


def _seconds(moment: datetime | None, now: datetime) -> float | None:
    """Return the seconds from now to a moment."""
    return None if moment is None else (moment - now) / timedelta(seconds=1)
