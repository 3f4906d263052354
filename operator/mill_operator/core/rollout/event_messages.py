"""Status before, status after → what has happened, in the words of log lines and of Kubernetes Events.

Both say the same, once: the log says everything, Events (`kubectl describe md`) tell verdicts alone. A status that did
not change has nothing to say, so that passes are silent, and an operator that starts repeats nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mill_api.status import (
    SPEC_WARNING,
    MillDeploymentStatus,
    Phase,
    Rollout,
    RunState,
    ServiceStatus,
    State,
    TaskRun,
    Transition,
)
from mill_objects.printable import one_line
from mill_operator.core.digest import digest
from mill_operator.core.rollout.status_changes import rollout_started

NOTE_LIMIT = 1024
"""Bytes; the API server takes no more."""


@dataclass(frozen=True, slots=True)
class EventMessage:
    """Something that has happened."""

    reason: str
    """CamelCase; of a failure, its code."""
    text: str
    """In plain words."""
    about: Mapping[str, str]
    """What it is about, by name: the rollout and its service, or the task and its run. Verdicts are the same that agree
    in this, in the reason and in the note."""
    position: int = 0
    """Where it stands among what happened in the same second: Events know no shorter time."""
    warning: bool = False
    action: str = "Rollout"
    """What was being done."""
    verdict: bool = True
    """Whether people are told; progress is for the log."""
    count: int | None = 1
    """How often this verdict has been made by now; None: once more than before, which nobody has counted."""

    @property
    def id(self) -> str:
        """Return what is the same for the same verdict, also after the operator was restarted, and sorts as it came."""
        return f"{self.position:04}.{digest([*self.about.values(), self.reason, self.text])}"


def event_messages(before: MillDeploymentStatus, after: MillDeploymentStatus) -> list[EventMessage]:
    """Return what has happened between two statuses, in order."""
    return [*_rollout(before, after), *_warnings(before, after), *_runs(before, after)]


def _rollout(before: MillDeploymentStatus, after: MillDeploymentStatus) -> Iterator[EventMessage]:
    rollout, old = after.rollout, before.rollout
    if rollout is None:
        return
    about = {"rollout": rollout.id}
    begins = rollout_started(before, after)
    if begins:
        if old is not None and old.finished_at is None:
            text = f"rollout {old.id} is superseded by rollout {rollout.id}"
            yield EventMessage("RolloutSuperseded", text, {"rollout": old.id})
        if rollout.refused is not None:
            text = f"rollout {rollout.id} is refused: {'; '.join(rollout.refused.splitlines())}"
            yield EventMessage("InvalidSpec", _short(text), about, warning=True)
            return
        yield EventMessage("RolloutStarted", f"rollout {rollout.id} has started", about, position=1)
    if not begins and old is not None and old.finished_at is not None:
        yield from _afterwards(rollout, before, after)
        return
    known = {} if begins else {service.name: len(service.transitions) for service in before.services}
    yield from _steps(rollout, after, known)
    if rollout.finished_at is not None:
        yield _finish(rollout, after)


def _steps(rollout: Rollout, after: MillDeploymentStatus, known: dict[str, int]) -> Iterator[EventMessage]:
    """Tell what the services have recorded since, in the order of happening."""
    new = [
        (step, service, service.transitions[: position + 1])
        for service in after.services
        for position, step in enumerate(service.transitions)
        if position >= known.get(service.name, 0)
    ]
    for step, service, so_far in sorted(new, key=lambda each: each[0].seq):
        yield _step(rollout, service.name, step, so_far)


def _step(rollout: Rollout, service: str, step: Transition, so_far: list[Transition]) -> EventMessage:
    """Tell one of a service's transitions; `so_far` are all until then."""
    about = {"rollout": rollout.id, "service": service}
    phases = [each.phase for each in so_far]
    failed_before = phases.index(Phase.FAILED) if Phase.FAILED in phases else len(phases)
    match step.phase:
        case Phase.FAILED:
            same = [each for each in so_far if (each.phase, each.code) == (step.phase, step.code)]
            said = _failure(about, step.code, step.message)
        case Phase.HEALTHY if failed_before < len(phases):
            same = [each for each in so_far[failed_before:] if each.phase is step.phase]
            said = EventMessage("Recovered", f"{service} has recovered", about)
        case Phase.HEALTHY:
            same = [step]
            said = EventMessage("Healthy", f"{service} is healthy", about)
        case Phase.STOPPED:
            same = [step]
            said = EventMessage("Stopped", f"{service} has stopped", about)
        case _:
            same = [step]
            where = f" on {step.node}" if step.node else ""
            why = f": {step.message}" if step.message else ""
            text = _short(f"{service} is {step.phase}{where}{why}")
            said = EventMessage(step.phase.capitalize(), text, about, verdict=False)
    return replace(said, position=same[0].seq + 1, count=len(same))


def _finish(rollout: Rollout, after: MillDeploymentStatus) -> EventMessage:
    summary = next((each.message for each in after.conditions if each.type == "Ready"), "")
    about, position = {"rollout": rollout.id}, _end(after)
    if rollout.success:
        text = f"rollout {rollout.id} has succeeded: {summary}"
        return EventMessage("RolloutSucceeded", text, about, position)
    text = f"rollout {rollout.id} has finished with errors: {summary}"
    return EventMessage("RolloutFailed", _short(text), about, position, warning=True)


def _end(after: MillDeploymentStatus) -> int:
    """Return the position after everything that has happened in a rollout."""
    return 2 + max((step.seq for service in after.services for step in service.transitions), default=0)


def _afterwards(rollout: Rollout, before: MillDeploymentStatus, after: MillDeploymentStatus) -> Iterator[EventMessage]:
    """Tell what becomes of services when their rollout is over: what it recorded is final, their state is not."""
    was_ready = any(each.type == "Ready" and each.status == "True" for each in before.conditions)
    position = _end(after) + 1
    states = {service.name: service for service in before.services}
    for service in after.services:
        old = states.get(service.name) or ServiceStatus(name=service.name)
        about = {"rollout": rollout.id, "service": service.name}
        if service.state is State.FAILED and (old.state, old.reason) != (State.FAILED, service.reason):
            said = _failure(about, service.reason, service.message)
            yield replace(said, position=position, count=None)
        # Between its failure and its health it may have been starting for a while.
        if service.state is State.HEALTHY and old.state is not State.HEALTHY and not was_ready:
            yield EventMessage("Recovered", f"{service.name} has recovered", about, position, count=None)


def _failure(about: Mapping[str, str], code: str | None, message: str | None) -> EventMessage:
    return EventMessage(code or "Failed", _short(f"{about['service']} has failed: {message}"), about, warning=True)


def _warnings(before: MillDeploymentStatus, after: MillDeploymentStatus) -> Iterator[EventMessage]:
    """Tell all that are new at once: there may be many, of a cause that they have in common."""
    new = [each for each in after.warnings if each not in before.warnings]
    if new and after.rollout is not None:
        text = "; ".join(each.message for each in new)
        if any(each.code == SPEC_WARNING for each in new):
            text = f"what was accepted goes on, but a change of it will be refused: {text}"
        about = {"rollout": after.rollout.id}
        yield EventMessage(new[0].code, _short(text), about, warning=True, action="Reconcile", count=None)


def _runs(before: MillDeploymentStatus, after: MillDeploymentStatus) -> Iterator[EventMessage]:
    told = {_run_verdict(run) for task in before.tasks for run in task.runs}
    newest = {task.name: max((run.finished_at or "" for run in task.runs), default="") for task in before.tasks}
    known = {run.name for task in before.tasks for run in task.runs}
    for task in after.tasks:
        for run in sorted(task.runs, key=lambda each: each.finished_at or ""):
            # One that comes back into the list, since a newer one was deleted, was told long ago.
            comes_back = run.name not in known and (run.finished_at or "9") < newest.get(task.name, "")
            if run.state.settled and _run_verdict(run) not in told and not comes_back:
                yield _run(task.name, run)
    task_problems = {(task.name, task.reason, task.message) for task in before.tasks}
    for task in after.tasks:
        if task.reason is not None and (task.name, task.reason, task.message) not in task_problems:
            text = _short(f"task {task.name} cannot be spawned: {task.message}")
            yield EventMessage(task.reason, text, {"task": task.name}, warning=True, action="Run", count=None)


def _run_verdict(run: TaskRun) -> tuple[str, str, str, str | None]:
    return (run.name, run.created_at, run.state, run.reason)


def _run(task: str, run: TaskRun) -> EventMessage:
    about = {"task": task, "run": run.name, "spawned": run.created_at}
    match run.state:
        case RunState.FAILED:
            text = _short(f"run {run.name} of task {task} has failed: {run.message}")
            return EventMessage(run.reason or "Failed", text, about, warning=True, action="Run")
        case RunState.SUCCEEDED:
            text = f"run {run.name} of task {task} has succeeded"
            return EventMessage("TaskSucceeded", text, about, action="Run")
    return EventMessage("TaskStopped", f"run {run.name} of task {task} was stopped", about, action="Run")


def _short(text: str) -> str:
    """Cut a note to one line that the API server takes."""
    return one_line(text, NOTE_LIMIT)
