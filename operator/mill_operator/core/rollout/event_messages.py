"""A status change → the messages of log lines and of Kubernetes Events.

Both report the same, once: the log everything, Events (`kubectl describe md`) only verdicts. A status that did not
change has no messages, so that reconciliations are silent, and an operator that starts repeats nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mill_api.rollout_results import put_back_text
from mill_api.rollouts import Rollout
from mill_api.service_status import Phase, State, Transition
from mill_api.status import SPEC_WARNING, MillDeploymentStatus
from mill_api.task_status import RunState, TaskRun
from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.digest import digest
from mill_operator.core.rollout.put_back import ADVICE, AUTOSCALER_CONFLICT, PUT_BACK
from mill_operator.core.rollout.status_change import StatusChange


@dataclass(frozen=True, slots=True)
class EventMessage:
    """A message for the log, and for an Event if it is a verdict."""

    reason: str
    """In UpperCamelCase; of a failure, its code."""
    text: str
    """A sentence for people."""
    about: Mapping[str, str]
    """Subjects of the message, by name: the rollout and its service, or the task and its run.

    Verdicts with equal subjects, reason and message are the same.
    """
    position: int = 0
    """The position among the messages of one second: Events have no finer times."""
    warning: bool = False
    action: str = "Rollout"
    """The action of the Event."""
    verdict: bool = True
    """Whether an Event is posted; progress is only logged."""
    count: int | None = 1
    """How often this verdict has been made by now; None: once more than the Event that exists says."""

    @property
    def id(self) -> str:
        """An id that sorts by position; the same verdict has the same id, also after a restart of the operator."""
        return f"{self.position:04}.{digest([*self.about.values(), self.reason, self.text])}"


def event_messages(change: StatusChange) -> list[EventMessage]:
    """Return what has happened between two statuses, in order."""
    return [
        *_pause(change),
        *_rollout(change),
        *_updates(change),
        *_warnings(change),
        *_put_back(change),
        *_runs(change),
        *_missed(change),
    ]


def _pause(change: StatusChange) -> Iterator[EventMessage]:
    if change.paused and change.pause is not None:
        yield EventMessage("Paused", _short(change.pause.message), {}, action="Pause", count=None)
    if change.resumed:
        yield EventMessage("Resumed", "resumed: changes are carried out again", {}, action="Resume", count=None)


def _rollout(change: StatusChange) -> Iterator[EventMessage]:
    rollout = change.after.rollout
    if rollout is None:
        return
    about = {"rollout": rollout.id}
    if (old := change.superseded) is not None:
        text = f"rollout {old.id} is superseded by rollout {rollout.id}"
        yield EventMessage("RolloutSuperseded", text, {"rollout": old.id})
    if change.rollout_started:
        if rollout.refused is not None:
            text = f"rollout {rollout.id} is refused: {'; '.join(rollout.refused.splitlines())}"
            yield EventMessage("InvalidSpec", _short(text), about, warning=True)
            return
        yield EventMessage("RolloutStarted", f"rollout {rollout.id} has started", about, position=1)
    if change.is_after_rollout:
        yield from _late_verdicts(rollout, change)
        return
    for each in change.transitions:
        yield _transition(rollout, each.service, each.transition, each.so_far)
    if rollout.finished_at is not None:
        yield _finish(rollout, change.after)


def _transition(rollout: Rollout, service: str, step: Transition, so_far: Sequence[Transition]) -> EventMessage:
    """Return the message of a service's transition; `so_far` are all up to it."""
    about = {"rollout": rollout.id, "service": service}
    phases = [each.phase for each in so_far]
    failed_before = phases.index(Phase.FAILED) if Phase.FAILED in phases else len(phases)
    match step.phase:
        case Phase.FAILED:
            same = [each for each in so_far if (each.phase, each.code) == (step.phase, step.code)]
            message = _failure(about, step.code, step.message)
        case Phase.HEALTHY if failed_before < len(phases):
            same = [each for each in so_far[failed_before:] if each.phase is step.phase]
            message = EventMessage("Recovered", f"{service} has recovered", about)
        case Phase.HEALTHY:
            same = [step]
            message = EventMessage("Healthy", f"{service} is healthy", about)
        case Phase.STOPPED:
            same = [step]
            message = EventMessage("Stopped", f"{service} has stopped", about)
        case _:
            same = [step]
            where = f" on {step.node}" if step.node else ""
            why = f": {step.message}" if step.message else ""
            text = _short(f"{service} is {step.phase}{where}{why}")
            message = EventMessage(step.phase.capitalize(), text, about, verdict=False)
    return replace(message, position=same[0].seq + 1, count=len(same))


def _finish(rollout: Rollout, after: MillDeploymentStatus) -> EventMessage:
    summary = after.summary or ""
    about, position = {"rollout": rollout.id}, _end_position(after)
    if rollout.success:
        text = f"rollout {rollout.id} has succeeded: {summary}"
        return EventMessage("RolloutSucceeded", text, about, position)
    text = f"rollout {rollout.id} has finished with errors: {summary}"
    return EventMessage("RolloutFailed", _short(text), about, position, warning=True)


def _end_position(after: MillDeploymentStatus) -> int:
    """Return the position after all transitions of a rollout."""
    return 2 + max((step.seq for service in after.services for step in service.transitions), default=0)


def _late_verdicts(rollout: Rollout, change: StatusChange) -> Iterator[EventMessage]:
    """Yield the verdicts on services whose rollout had finished before: it records no more transitions."""
    position = _end_position(change.after) + 1
    for service in change.late_verdicts:
        about = {"rollout": rollout.id, "service": service.name}
        if service.state is State.FAILED:
            message = _failure(about, service.reason, service.message)
            yield replace(message, position=position, count=None)
        else:
            yield EventMessage("Recovered", f"{service.name} has recovered", about, position, count=None)


def _failure(about: Mapping[str, str], code: str | None, message: str | None) -> EventMessage:
    return EventMessage(code or "Failed", _short(f"{about['service']} has failed: {message}"), about, warning=True)


def _updates(change: StatusChange) -> Iterator[EventMessage]:
    """Yield one Event for all services that this release updates, and a line of the log for each of them."""
    rollout, begun = change.after.rollout, change.begun_updates
    if not begun or rollout is None:
        return
    release = begun[0].updated_by
    if all(service.updated_by != release for service in change.before.services):
        yield EventMessage(
            "Updated", f"Updated by {release}", {"rollout": rollout.id}, _end_position(change.after), action="Update"
        )
    for service in begun:
        about = {"rollout": rollout.id, "service": service.name}
        yield EventMessage("Updating", f"{service.name} is updated by {release}", about, verdict=False)


def _warnings(change: StatusChange) -> Iterator[EventMessage]:
    """Yield one message for all new warnings: there may be many, of one common cause."""
    rollout = change.after.rollout
    # The edits of an autoscaler have Events of their own.
    new = [each for each in change.warnings if each.code != AUTOSCALER_CONFLICT]
    if new and rollout is not None:
        text = "; ".join(each.message for each in new)
        if any(each.code == SPEC_WARNING for each in new):
            text = f"the accepted spec stays in effect, but a change of it will be refused: {text}"
        about = {"rollout": rollout.id}
        yield EventMessage(new[0].code, _short(text), about, warning=True, action="Reconcile", count=None)


def _put_back(change: StatusChange) -> Iterator[EventMessage]:
    """Yield a message for each edit that was put back."""
    for each in change.put_back:
        about = {"object": f"{each.kind} {each.name}"}
        if each.service:
            about["service"] = each.service
        text = put_back_text(each)
        if each.autoscaled:
            text, reason = f"{text}: an autoscaler changes replicas that the file sets: {ADVICE}", AUTOSCALER_CONFLICT
        else:
            reason = PUT_BACK
        yield EventMessage(
            reason,
            _short(text),
            about,
            _end_position(change.after) + 1,
            warning=each.autoscaled,
            action="Reconcile",
            count=None,
        )


def _runs(change: StatusChange) -> Iterator[EventMessage]:
    for verdict in change.run_verdicts:
        if not verdict.is_old:
            yield _run(verdict.task, verdict.run)
    for task in change.blocked_tasks:
        text = _short(f"task {task.name} cannot be spawned: {task.message}")
        yield EventMessage(task.reason or "", text, {"task": task.name}, warning=True, action="Run", count=None)


def _missed(change: StatusChange) -> Iterator[EventMessage]:
    """Yield a message for each run that did not start on its schedule."""
    for task in change.missed_runs:
        missed_run = task.missed_run or ""
        why = "an earlier one was in progress, or Kubernetes was late"
        text = f"no run of task {task.name} was started for {missed_run}: {why}"
        about = {"task": task.name, "missed": missed_run}
        yield EventMessage("RunMissed", _short(text), about, warning=True, action="Run")


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
    return one_line(text, limits.EVENT_BYTES)
