"""The difference between the status that was written last and the next one, in one place.

The write throttle, the log, Events and metrics all report from it, so that they cannot disagree. Each part is worked
out when it is first read: a reconciliation that changes nothing compares two statuses and no more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from mill_api.rollouts import PutBack, Rollout
from mill_api.service_status import ServiceStatus, State, Transition
from mill_api.status import Condition, MillDeploymentStatus, StatusWarning
from mill_api.task_status import TaskRun, TaskStatus
from mill_operator.core.rollout.conditions import is_ready, paused_condition


@dataclass(frozen=True, slots=True)
class ServiceTransition:
    """A transition that a service has recorded since the status before."""

    service: str
    transition: Transition
    so_far: Sequence[Transition]
    """All transitions of the service in this rollout, up to this one."""


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """A run of a task that has ended, or has ended otherwise than the status before said."""

    task: str
    run: TaskRun
    is_old: bool
    """Whether the run is only listed again, because a newer one was deleted."""


@dataclass(frozen=True)
class StatusChange:
    """Difference between two statuses."""

    before: MillDeploymentStatus
    after: MillDeploymentStatus

    @classmethod
    def between(cls, before: MillDeploymentStatus, after: MillDeploymentStatus) -> Self:
        """Return the change from one status to the next."""
        return cls(before, after)

    @cached_property
    def is_empty(self) -> bool:
        """Whether the two statuses are equal."""
        return self.before == self.after

    @cached_property
    def rollout_started(self) -> bool:
        """Whether another rollout is the current one. A refused one may start again under the same id."""
        old, new = self.before.rollout, self.after.rollout
        if new is None:
            return False
        return old is None or (old.id, old.refused) != (new.id, new.refused)

    @cached_property
    def superseded(self) -> Rollout | None:
        """The rollout that had not finished when the current one started."""
        old = self.before.rollout
        return old if self.rollout_started and old is not None and old.finished_at is None else None

    @cached_property
    def paused(self) -> bool:
        """Whether the resource is paused since the status before."""
        return paused_condition(self.before.conditions) is None and self.pause is not None

    @cached_property
    def resumed(self) -> bool:
        """Whether the resource is paused no longer."""
        return paused_condition(self.before.conditions) is not None and self.pause is None

    @cached_property
    def pause(self) -> Condition | None:
        """The condition of a paused resource."""
        return paused_condition(self.after.conditions)

    @cached_property
    def is_after_rollout(self) -> bool:
        """Whether the current rollout had finished before: what it recorded is final, its services' states are not."""
        old = self.before.rollout
        return not self.rollout_started and old is not None and old.finished_at is not None

    @cached_property
    def ended_rollouts(self) -> tuple[str, ...]:
        """The results of the rollouts that have ended: `succeeded`, `failed`, `refused` or `superseded`."""
        known = _results(self.before)
        return tuple(result for rollout, result in _results(self.after).items() if rollout not in known)

    @cached_property
    def transitions(self) -> tuple[ServiceTransition, ...]:
        """The new transitions of the services, in order of time."""
        return tuple(sorted(self._transitions(), key=lambda each: each.transition.seq))

    @cached_property
    def late_verdicts(self) -> tuple[ServiceStatus, ...]:
        """The services that have failed, or recovered, since their rollout finished."""
        if not self.is_after_rollout:
            return ()
        was_ready = is_ready(self.before.conditions)
        known = {service.name: service for service in self.before.services}
        return tuple(
            service
            for service in self.after.services
            if _is_late_verdict(
                known.get(service.name) or ServiceStatus(name=service.name), service, was_ready=was_ready
            )
        )

    @cached_property
    def begun_updates(self) -> tuple[ServiceStatus, ...]:
        """The services whose pod templates the operator itself has changed."""
        known = {(service.name, service.updated_by, service.template) for service in self.before.services}
        return tuple(
            service
            for service in self.after.services
            if service.updated_by is not None and (service.name, service.updated_by, service.template) not in known
        )

    @cached_property
    def service_verdicts_changed(self) -> bool:
        """Whether a service has another verdict, or none any more."""
        before = {each for each in _states(self.before) if each[1].is_verdict}
        return before != {each for each in _states(self.after) if each[1].is_verdict}

    @cached_property
    def has_progress(self) -> bool:
        """Whether a service or a run has another state, or a service has recorded something."""
        if _states(self.before) != _states(self.after) or self.before.tasks != self.after.tasks:
            return True
        pairs = zip(self.before.services, self.after.services, strict=True)
        return any(old.transitions != new.transitions for old, new in pairs)

    @cached_property
    def run_verdicts(self) -> tuple[RunVerdict, ...]:
        """The runs that have ended, of each task the oldest end first."""
        return tuple(self._run_verdicts())

    @cached_property
    def blocked_tasks(self) -> tuple[TaskStatus, ...]:
        """The tasks of which no run can be made any more, each with the reason."""
        known = {_task_problem(task) for task in self.before.tasks}
        return tuple(task for task in self.after.tasks if task.reason is not None and _task_problem(task) not in known)

    @cached_property
    def missed_runs(self) -> tuple[TaskStatus, ...]:
        """The tasks of which another run on schedule was missed."""
        known = {(task.name, task.missed_run) for task in self.before.tasks}
        missed = (task for task in self.after.tasks if task.missed_run is not None)
        return tuple(task for task in missed if (task.name, task.missed_run) not in known)

    @cached_property
    def put_back(self) -> tuple[PutBack, ...]:
        """The edits that were put back and are reported for the first time, or once more."""
        old, new = self.before.rollout, self.after.rollout
        known = old.put_back if old is not None and not self.rollout_started else []
        return tuple(each for each in (new.put_back if new is not None else ()) if each not in known)

    @cached_property
    def warnings(self) -> tuple[StatusWarning, ...]:
        """The new warnings."""
        return tuple(each for each in self.after.warnings if each not in self.before.warnings)

    def _transitions(self) -> Iterator[ServiceTransition]:
        known = {} if self.rollout_started else {each.name: len(each.transitions) for each in self.before.services}
        for service in self.after.services:
            recorded = service.transitions
            for position in range(known.get(service.name, 0), len(recorded)):
                yield ServiceTransition(service.name, recorded[position], recorded[: position + 1])

    def _run_verdicts(self) -> Iterator[RunVerdict]:
        reported = {_run_verdict(run) for task in self.before.tasks for run in task.runs}
        known = {run.name for task in self.before.tasks for run in task.runs}
        newest = {
            task.name: max((run.finished_at or "" for run in task.runs), default="") for task in self.before.tasks
        }
        for task in self.after.tasks:
            for run in sorted(task.runs, key=lambda each: each.finished_at or ""):
                if run.state.settled and _run_verdict(run) not in reported:
                    is_old = run.name not in known and (run.finished_at or "9") < newest.get(task.name, "")
                    yield RunVerdict(task.name, run, is_old)


def _results(status: MillDeploymentStatus) -> dict[tuple[str, str], str]:
    """Return the results of all rollouts that have ended, by id and end."""
    results = {
        (past.id, past.finished_at): "superseded" if past.superseded else "succeeded" if past.success else "failed"
        for past in reversed(status.history)
    }
    if (rollout := status.rollout) is not None and rollout.finished_at is not None:
        result = "refused" if rollout.refused else "succeeded" if rollout.success else "failed"
        results[rollout.id, rollout.finished_at] = result
    return results


def _is_late_verdict(old: ServiceStatus, new: ServiceStatus, *, was_ready: bool) -> bool:
    if new.state is State.FAILED:
        return (old.state, old.reason) != (State.FAILED, new.reason)
    if old.is_updating:
        return False  # it has not failed
    # Between its failure and its health it may have been starting for a while.
    return new.state is State.HEALTHY and old.state is not State.HEALTHY and not was_ready


def _states(status: MillDeploymentStatus) -> list[tuple[str, State, str | None]]:
    return [(service.name, service.state, service.reason) for service in status.services]


def _run_verdict(run: TaskRun) -> tuple[str, str, str, str | None]:
    return (run.name, run.created_at, run.state, run.reason)


def _task_problem(task: TaskStatus) -> tuple[str, str | None, str | None]:
    return (task.name, task.reason, task.message)
