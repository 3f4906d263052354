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
from mill_operator.caches import Cluster, Parent
from mill_operator.children import RETRY_SECONDS, Children
from mill_operator.core.internal_errors import Fault
from mill_operator.core.objects.desired import Child
from mill_operator.core.objects.plan import leaving, of_this_resource, overstaying, plan, postponed, renewals
from mill_operator.core.objects.pods import Options
from mill_operator.core.objects.rendering import MAX_SPEC_BYTES, Desired
from mill_operator.core.observed.lookup_results import NOTHING_KNOWN
from mill_operator.core.observed.pods import ChildFacts, PodFacts
from mill_operator.core.rollout.advance import advance
from mill_operator.core.rollout.conditions import conditions
from mill_operator.core.rollout.start import refuse
from mill_operator.core.tasks.status import observe, outliving
from mill_operator.core.verdicts.judge import Observation
from mill_operator.cpu_time import Aside
from mill_operator.internal_errors import FailingPasses
from mill_operator.judging import judge_all
from mill_operator.lookups import Lookups
from mill_operator.memory import Memory
from mill_operator.publisher import OnWrite, Publisher
from mill_operator.recorder import Recorder
from mill_operator.renderer import Held, Renderer
from mill_process.logs import about

log = logging.getLogger(__name__)

OnFault: TypeAlias = Callable[[Key, str], None]
"""Told of each `service` or `task` that could not be rendered or judged in a pass."""

DRAIN_SECONDS = 2.0
"""How long a stop may take for the sake of Events."""


class Reconciler:
    """Makes passes. The same key must not be worked on twice at once."""

    def __init__(
        self,
        client: KubeClient,
        cluster: Cluster,
        options: Options,
        now: Callable[[], datetime],
        on_write: OnWrite = lambda *_: None,
        on_fault: OnFault = lambda *_: None,
        max_spec_bytes: int = MAX_SPEC_BYTES,
    ) -> None:
        self._client = client
        self._options = options
        self._max_spec_bytes = max_spec_bytes
        self._aside = Aside()
        self._cluster = cluster
        self._now = now
        self._memory: dict[Key, Memory] = {}
        self._children = Children(client, cluster)
        self._lookups = Lookups(client)
        self._recorder = Recorder(client, now)
        self._publisher = Publisher(client, self._recorder, on_write)
        self._failing = FailingPasses(client, self._memory, self._recorder, now, on_write)
        self._on_fault = on_fault

    async def reconcile(self, key: Key) -> float | None:
        """Make one pass. Return after how many seconds to make another though nothing happens.

        Raise `KubeError` if the API server is away or refuses what it should not. Whatever it raises: `failed` is to be
        told.
        """
        parent = self._cluster.parents.get(key)
        if parent is None or parent.terminating:
            self._memory.pop(key, None)  # the garbage collector has it now; whoever writes would fight it
            self._failing.over(key)
            return None
        wait = await self._reconcile(parent)
        self._failing.over(key)
        return wait

    async def failed(self, key: Key, fault: Fault) -> None:
        """Note that a pass has failed by a fault of ours; if that goes on, the status tells it. Raise `KubeError`."""
        parent = self._cluster.parents.get(key)
        if parent is None or parent.terminating:
            self._failing.over(key)
        else:
            await self._failing.failed(parent, fault)

    async def _reconcile(self, parent: Parent) -> float | None:
        key = parent.key
        memory = self._recall(parent)
        wanted = await self._wanted(parent, memory)
        memory.status = memory.status.model_copy(update={"warnings": list(memory.warnings)})
        wait = None
        if isinstance(wanted, str):
            self._refuse(parent, memory, wanted)
        else:
            wait = await self._step(parent, memory, wanted)
        wait = _soonest(wait, await self._look_at_tasks(parent, memory))
        wait = _soonest(wait, await self._publisher.publish(key, memory))
        memory.statuses.rest()
        return wait

    async def flush(self) -> None:
        """Write every status that waits for its time, and post the Events of it."""
        for key, memory in self._memory.items():
            if memory.statuses.at_rest:
                continue
            # A status that was not written is made again from the cluster.
            try:
                await self._publisher.flush(key, memory)
            except KubeError as error:
                log.debug("%s: the status was not written: %s", key, error, extra=about(key))
            except Exception:
                log.exception("%s: unexpected error", key, extra=about(key))
        await self._recorder.drain(DRAIN_SECONDS)

    def _recall(self, parent: Parent) -> Memory:
        memory = self._memory.get(parent.key)
        if memory is None or memory.uid != parent.uid:
            memory = self._memory[parent.key] = Memory.of(parent)
        return memory

    async def _wanted(self, parent: Parent, memory: Memory) -> Desired | str:
        """Return what should exist, or what is wrong with the spec."""
        size = 0 if memory.is_known(parent) else parent.packed_spec.size
        return await self._aside.run(size, memory.wanted_of, parent, self._options, self._max_spec_bytes)

    def _refuse(self, parent: Parent, memory: Memory, reason: str) -> None:
        status, now = memory.status, self._now()
        if status.rollout is None or status.rollout.id != parent.rollout_id:
            memory.status = refuse(status, reason, generation=parent.generation, rollout_id=parent.rollout_id, now=now)
        else:  # what passes before this one have said of themselves is over
            memory.status = status.model_copy(update={"conditions": conditions(status, status.conditions, now)})

    async def _look_at_tasks(self, parent: Parent, memory: Memory) -> float | None:
        """Note what became of the tasks' runs, which are no part of any rollout."""
        now = self._now()
        look = partial(
            observe,
            self._cluster.jobs(parent),
            self._cluster.run_pods(parent.key),
            memory.status.tasks,
            problems=memory.unspawnable(),
            now=now,
        )
        seen = look()
        if seen.questions:
            seen = look(answers=await self._lookups.answer(seen.questions))
        unrendered = memory.wanted.tasks.items() if isinstance(memory.wanted, Desired) else ()
        self._note_faults(parent.key, memory, "task", [*unrendered, *seen.faults])
        memory.status = memory.status.model_copy(update={"tasks": seen.tasks, "active_runs": seen.active})
        return None if seen.wake_at is None else (seen.wake_at - now) / timedelta(seconds=1)

    async def _step(self, parent: Parent, memory: Memory, wanted: Desired) -> float | None:
        begins = memory.status.rollout is None or memory.status.rollout.id != parent.rollout_id
        if begins:
            memory.writes.problems.clear()  # somebody asks again
            memory.older.clear()
        older = partial(self._children.older_template, parent.key)
        renderer = Renderer(parent, wanted, self._options, self._aside, older)
        held = {} if begins else await self._held(parent, memory, wanted, renderer)
        wanted = memory.wanted = wanted.with_faults(renderer.faults)
        children = renderer.hold(held, wanted.children)
        # What this pass brings about may be here before the pass is over: only what stands now can be stale.
        standing = self._cluster.pods(parent.key)
        later = postponed(wanted.services, standing, self._now())
        if not await self._write(parent, memory, wanted, children, renderer, later):
            return None
        wanted = memory.wanted = wanted.with_faults(renderer.faults)
        pods, there = self._see(parent)
        now = self._now()
        observations = await self._observe(memory, wanted, children, pods, there, now)
        if begins:
            stale = renewals(observations, [pod for pod in standing if pod in pods])
            await self._children.renew(stale)
            pods = [pod for pod in pods if pod not in stale]
            observations = await self._observe(memory, wanted, children, pods, there, now, afresh=True)
        self._note_faults(
            parent.key, memory, "service", [(each.service, each.fault) for each in observations if each.fault]
        )
        answers = await self._lookups.answer(overstaying(memory.status.services, pods, now))
        names = [service.name for service in wanted.services]
        step = advance(
            memory.status,
            observations,
            generation=parent.generation,
            rollout_id=parent.rollout_id,
            present=leaving(names, there, pods, owner=parent.owner, nodes=answers.nodes),
            held=held,
            now=now,
        )
        memory.status = step.status
        moments = [step.wake_at, *later.values()]
        if _taken_back(memory.written) != _taken_back(step.status):
            moments.append(now)  # once the evidence is written, the version before can come back
        return _soonest(
            *((moment - now) / timedelta(seconds=1) for moment in moments if moment is not None),
            RETRY_SECONDS if memory.writes.problems else None,
        )

    def _note_faults(self, key: Key, memory: Memory, kind: str, faults: Iterable[tuple[str, Fault]]) -> None:
        """Count what could not be rendered or judged in this pass, and log what was not logged before."""
        found = {f"{kind} {name}": fault for name, fault in faults}
        for name, fault in found.items():
            self._on_fault(key, kind)
            if memory.faults.get(name) != fault.id:
                log.error("%s: %s: internal error (%s)\n%s", key, name, fault, fault.details, extra=about(key))
        others = {name: known for name, known in memory.faults.items() if not name.startswith(f"{kind} ")}
        memory.faults = others | {name: fault.id for name, fault in found.items()}

    async def _write(
        self,
        parent: Parent,
        memory: Memory,
        wanted: Desired,
        children: Sequence[Child],
        renderer: Renderer,
        later: Collection[str],
    ) -> bool:
        """Bring the children to what is wanted. Return False if the resource turns out to be gone."""
        observed = self._cluster.children(parent.key)
        memory.writes.keep(children, observed)
        todo = plan(
            children,
            observed,
            owner=parent.owner,
            revisions=memory.writes.revisions,
            postponed=later,
            unrendered=wanted.unrendered,
        )
        known_already = memory.written.observed_generation >= parent.generation
        missing = any(memory.writes.problem(child) is None for child in todo.create)
        if missing and known_already and not await self._is_there(parent):
            return False  # what we miss went with the resource, whose end is on its way to us
        if todo.delete:
            await self._children.adopt(parent.owner, outliving(self._cluster.jobs(parent), todo.delete))
        await self._children.write(todo, memory.writes, renderer)
        return True

    def _see(self, parent: Parent) -> tuple[list[PodFacts], list[ChildFacts]]:
        pods, children = self._cluster.pods(parent.key), self._cluster.children(parent.key)
        return of_this_resource(pods, children, owner=parent.owner, created=parent.created)

    async def _is_there(self, parent: Parent) -> bool:
        """Ask whether the resource is still what we know: watches of several kinds are not in step."""
        try:
            metadata = (await self._client.get(MILL_DEPLOYMENTS, *parent.key))["metadata"]
        except NotFound:
            return False
        return metadata["uid"] == parent.uid and "deletionTimestamp" not in metadata

    async def _held(self, parent: Parent, memory: Memory, wanted: Desired, renderer: Renderer) -> dict[str, Held]:
        """Return the services that are to go back to the version that worked.

        Only what is in the written status: whatever becomes of the failed pods then, their evidence is kept.
        """
        templates = {service.name: service.template for service in wanted.services}
        asked_again = _taken_back(memory.written) - _taken_back(memory.status)
        deployments = {each.service: each for each in wanted.children if each.kind == "Deployment"}
        held: dict[str, Held] = {}
        for service in memory.written.services:
            name, good = service.name, service.healthy_template
            if good is None or service.failed_template is None or name in asked_again:
                continue
            if templates.get(name) != service.failed_template:
                continue
            if (child := deployments.get(name)) is None:
                continue
            known = (name, good, child.applied)
            if known not in memory.older:
                template = await self._children.older_template(parent.key, name, good)
                rendered = None if template is None else await renderer.with_template(child, template)
                if child.program in renderer.faults:
                    continue
                memory.older[known] = None if rendered is None else rendered.child.applied
            if (applied := memory.older[known]) is not None:
                held[name] = Held(child, replace(child, applied=applied), good)
        return held

    async def _observe(
        self,
        memory: Memory,
        wanted: Desired,
        children: Sequence[Child],
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


def _taken_back(status: MillDeploymentStatus) -> set[str]:
    return {service.name for service in status.services if service.failed_template is not None}


def _soonest(*waits: float | None) -> float | None:
    return min((wait for wait in waits if wait is not None), default=None)
