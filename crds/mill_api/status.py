"""The `status` of a MillDeployment: the models of what the operator observed and decided.

Only the operator writes it. The gateway makes events of it, `kubectl` columns, Argo CD and Flux health. Times are
RFC 3339 in UTC with milliseconds.

A newer release may have written a status, since each release can be rolled back to the one before it. Unknown words
are kept as they are, and `mill_api.status_reading` reads a status that does not fit these models.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from mill_api.fields import ApiModel
from mill_api.rollout_tasks import RolloutTask
from mill_api.status_words import FailedSeq, Seq, Time, Word, span

HISTORY_KEPT: Final = 5
"""Number of past rollouts in the history."""
INTERNAL_ERROR: Final = "InternalError"
"""The code of a service, run or rollout that has no verdict because of a fault of Mill itself."""
SPEC_WARNING: Final = "SpecWarning"
"""The code of a warning that a spec breaks a rule that was added after it was accepted."""


class State(Word):
    """State of a service."""

    PENDING = "Pending"
    WAITING = "Waiting"
    PULLING = "Pulling"
    STARTING = "Starting"
    SUSPECT = "Suspect"
    HEALTHY = "Healthy"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"

    @property
    def is_verdict(self) -> bool:
        """Whether it is a verdict: a rollout that can no longer succeed waits for no more."""
        return self in (State.HEALTHY, State.FAILED, State.STOPPED)


class Phase(Word):
    """Step of a service in a rollout; the `phase` of an event."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    PULLING = "pulling"
    STARTING = "starting"
    SUSPECT = "suspect"
    HEALTHY = "healthy"
    SETTLED = "settled"
    FAILED = "failed"
    STOPPED = "stopped"


class Transition(ApiModel):
    """A step of a service in the current rollout. A settled service has a `Settlement` instead."""

    seq: Seq = Field(description="Position in the rollout, counted over all services.")
    at: Time = Field(description="Time of the transition.")
    phase: Phase = Field(description=f"Phase reached: {', '.join(Phase)}.")
    node: str | None = Field(None, description="Node on which it happened, if the phase concerns one.")
    code: str | None = Field(None, description="Stable code of the reason.")
    message: str | None = Field(None, description="Human-readable explanation of `code`.")


class Settlement(ApiModel):
    """The end of a service's settling window in the current rollout.

    It is no transition, because release 0.1.0 refuses phases that it does not know.
    """

    seq: Seq = Field(description="Position in the rollout, counted with the transitions.")
    at: Time = Field(description="Time at which the window ended.")
    warning: str | None = Field(None, description="Why the window ended though the service did not stay ready.")


class Replicas(ApiModel):
    """Numbers of a service's replicas."""

    desired: int = Field(0, description="Number of replicas requested.")
    updated: int = Field(0, description="Number of pods of the desired pod template.")
    healthy: int = Field(0, description="Number of pods of the desired pod template that are ready.")
    serving: int = Field(0, description="Number of ready pods of any version: those behind the Service.")


class OutsideAddress(ApiModel):
    """Where a port of a service is reached from outside the cluster."""

    port: str = Field(description="Name of the port.")
    address: str = Field(description="Host and port that a load balancer has given it.")


class ServiceStatus(ApiModel):
    """State of one service, and its transitions in the current rollout."""

    name: str = Field(description="Name of the service.")
    state: State = Field(State.PENDING, description=f"State of the service: {', '.join(State)}.")
    replicas: Replicas = Field(default_factory=Replicas, description="Numbers of replicas.")
    image: str | None = Field(None, description="Container image of the desired pod template.")
    template: str | None = Field(None, description="Hash of the desired pod template.")
    healthy_template: str | None = Field(None, description="Hash of the pod template that settled last.")
    failed_template: str | None = Field(
        None,
        description="Hash of a pod template that failed and was replaced by the one before it. Set only for services "
        "whose old pods must end before new ones start.",
    )
    moved_at: Time | None = Field(
        None, description="Time at which the state last changed or one more replica became healthy."
    )
    settle: Annotated[float, AfterValidator(span)] | None = Field(
        None, description="Seconds for which the service must stay ready before its rollout succeeds."
    )
    settling_since: Time | None = Field(
        None, description="Time since which all replicas that were requested then have stayed ready."
    )
    settling_crashes: int | None = Field(
        None, description="Number of times that the containers of these replicas had ended by that time."
    )
    settling_newest: Time | None = Field(
        None, description="Creation time of the newest of these replicas: later ones do not count."
    )
    settled_at: Time | None = Field(
        None,
        description="Time at which the desired pod template had stayed ready for long enough. Empty until then.",
    )
    serving_since: Time | None = Field(
        None, description="Time since which at least one pod of any version has been ready. Empty while none is."
    )
    serving_images: list[str] = Field(
        default_factory=list,
        description="Container images of the ready pods, the most frequent first. At most three.",
    )
    updated_by: str | None = Field(
        None,
        description="Release of Mill that changed the pod template without a change of the spec, such as mill 0.2.",
    )
    reason: str | None = Field(None, description="Stable code of the reason for the state Failed or Suspect.")
    message: str | None = Field(None, description="Human-readable explanation of `reason`.")
    failed_at: Time | None = Field(None, description="Time at which the service failed. Empty unless it is Failed.")
    root: str | None = Field(None, description="Name of the failed service that this failure follows from.")
    rule: str | None = Field(None, description="Identifier of the rule that matched.")
    since: Time | None = Field(None, description="Time at which the rule first matched.")
    due_at: Time | None = Field(
        None, description="Time at which what is wrong, or is in progress, becomes a failure, unless it ends before."
    )
    health_check: str | None = Field(
        None,
        description="What the health checks of a service that is Starting report, such as HTTP 503. Empty while it is "
        "normal that the service is not ready yet.",
    )
    detail: str | None = Field(
        None,
        description="What matters of the reason beside `message`: the image that cannot be pulled, the command that "
        "was not found, the last line of the log, or how much of a resource the largest node has.",
    )
    evidence: str | None = Field(
        None,
        description="Text from the cluster that shows the failure: a message of the kubelet, or the last lines "
        "of the log.",
    )
    suggestion: str | None = Field(None, description="What to do about the failure.")
    outside: list[OutsideAddress] = Field(
        default_factory=list, description="Addresses of ports outside the cluster, as far as there are any."
    )
    settlement: Settlement | None = Field(
        None, description="End of the service's settling window in the current rollout."
    )
    transitions: list[Transition] = Field(
        default_factory=list, description="Transitions of the service in the current rollout, by position."
    )

    def has_settled(self, template: str) -> bool:
        """Whether the settling window of a pod template has ended."""
        return self.settled_at is not None and self.template == template

    @property
    def is_updating(self) -> bool:
        """Whether a pod template that Mill itself has changed has neither settled nor failed yet."""
        has_settled = self.settled_at is not None or self.healthy_template == self.template
        return self.updated_by is not None and not has_settled and self.state is not State.FAILED


class RunState(Word):
    """State of a run of a task."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def settled(self) -> bool:
        """Whether the run has a verdict."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED)


class TaskRun(ApiModel):
    """One run of a task, executed by a Job."""

    name: str = Field(description="Name of the run and of its Job.")
    state: RunState = Field(
        RunState.PENDING,
        description=f"State of the run: {', '.join(RunState)}. A run is Stopped if its Job was deleted before it "
        "ended. A Failed run whose Job has not ended, such as one whose image cannot be pulled, may still recover.",
    )
    node: str | None = Field(None, description="Node to which the pod of the run is assigned.")
    reason: str | None = Field(None, description="Stable code of the reason why the run failed or is waiting.")
    message: str | None = Field(None, description="Human-readable explanation of `reason`.")
    detail: str | None = Field(None, description="What matters of the reason beside `message`, such as the image.")
    suggestion: str | None = Field(None, description="What to do about the reason.")
    rule: str | None = Field(None, description="Identifier of the rule that matched, while the run is in progress.")
    since: Time | None = Field(None, description="Time at which the rule first matched, while the run is in progress.")
    created_at: Time = Field(description="Time at which the run was created.")
    started_at: Time | None = Field(None, description="Time at which its container started.")
    finished_at: Time | None = Field(None, description="Time at which the run ended.")
    exit_code: int | None = Field(None, description="Exit code of the program.")


class TaskStatus(ApiModel):
    """A task that has runs or a schedule, or of which no run can be started. Its runs are not part of rollouts."""

    name: str = Field(description="Name of the task.")
    reason: str | None = Field(None, description="Stable code of the reason why no run of the task can be started.")
    message: str | None = Field(None, description="Human-readable explanation of `reason`.")
    next_run: Time | None = Field(
        None,
        description="Time of the schedule for which the next run starts. One that has passed is due: it waits for an "
        "earlier run, at most for the deadline.",
    )
    last_run: Time | None = Field(None, description="Time of the schedule for which the last run was started.")
    missed_run: Time | None = Field(None, description="Last time of the schedule for which no run was started.")
    runs: list[TaskRun] = Field(
        default_factory=list,
        description="Runs of the task, newest first: the last five in progress and the last five that have ended, "
        "fewer of each if there are very many. `kubectl get jobs -l mill.dev/task` lists all of them.",
    )


class FailedService(ApiModel):
    """A service that failed in a past rollout; without a service, the reason that ended the whole rollout."""

    seq: FailedSeq = Field(description="Position in the rollout.")
    service: str | None = Field(None, description="Name of the service.")
    reason: str = Field(description="Human-readable reason for the failure.")


class Regression(ApiModel):
    """The first failure of a service after its rollout had finished, without another change."""

    service: str = Field(description="Name of the service.")
    reason: str = Field(description="Human-readable reason for the failure.")
    code: str = Field(description="Stable code of the reason.")
    at: Time = Field(description="Time of the failure.")
    seq: Seq | None = Field(
        None, description="Position of the failure in the rollout, if the service had not settled before."
    )


class PutBack(ApiModel):
    """A change of a child object by another field manager, which the operator has put back."""

    kind: str = Field(description="Kind of the object.")
    name: str = Field(description="Name of the object.")
    service: str | None = Field(None, description="Name of the service, if the object belongs to one.")
    change: str = Field(
        description="Which fields were changed, such as replicas 5 → 2: from the changed value to the one that was put "
        "back. Values of few fields are reported, none of environments and arguments."
    )
    by: str | None = Field(None, description="Field managers that made the change, if they are known.")
    autoscaled: bool = Field(default=False, description="Whether an autoscaler changed the replicas.")
    at: Time = Field(description="Time at which it was reported last. Each object has one report a minute at most.")
    count: int = Field(1, description="How often this change was put back.")


class Rollout(ApiModel):
    """The current rollout: it brings the cluster to one generation, or answers one request."""

    id: str = Field(description="Generation, followed by the request if one was made.")
    started_at: Time = Field(description="Time at which the operator started the rollout.")
    finished_at: Time | None = Field(
        None, description="Time at which every service had settled, or one had failed and all others had a verdict."
    )
    success: bool | None = Field(None, description="Whether every service settled. Final, unlike the conditions.")
    last_seq: Seq | None = Field(None, description="Position of the last transition when the rollout finished.")
    regressed: list[Regression] = Field(
        default_factory=list, description="Failures after the rollout had finished, the first of each service."
    )
    put_back: list[PutBack] = Field(
        default_factory=list,
        description="Changes of other field managers that the operator has put back since the rollout started, the "
        "newest last. At most 20.",
    )
    revision: int | None = Field(None, description="Number of the revision that keeps its spec.")
    recorded: bool = Field(default=False, description="Whether that revision has the result of the rollout.")
    refused: str | None = Field(
        None, description="Problems for which the spec was refused, one per line. Nothing was changed in the cluster."
    )
    task_failure: str | None = Field(
        None, description="Why the rollout did not succeed though every service settled: a task that ran after some."
    )
    error: str | None = Field(None, description="Internal error that ended the rollout without verdicts.")


class PastRollout(ApiModel):
    """A rollout that has finished."""

    id: str = Field(description="Generation, followed by the request if one was made.")
    started_at: Time = Field(description="Time at which the rollout started.")
    finished_at: Time = Field(description="Time at which the rollout finished.")
    success: bool = Field(description="Whether every service settled.")
    superseded: bool = Field(
        default=False, description="Whether a newer rollout replaced it before every service had a verdict."
    )
    settled: list[str] = Field(
        default_factory=list,
        description="Services that had settled in it, though it was superseded or they failed later.",
    )
    unsettled: list[str] = Field(
        default_factory=list,
        description="Services that a newer rollout replaced in their window after it had finished.",
    )
    failed: list[FailedService] = Field(default_factory=list, description="Failures of the rollout.")
    regressed: list[Regression] = Field(
        default_factory=list, description="Failures after the rollout had finished, the first of each service."
    )
    put_back: list[PutBack] = Field(
        default_factory=list,
        description="Changes of other field managers that the operator has put back, the newest last. At most five.",
    )


class Condition(ApiModel):
    """A Kubernetes condition."""

    type: str = Field(description="Type of the condition: Ready, Reconciling, Stalled or Paused.")
    status: str = Field(description="Status of the condition: True, False or Unknown.")
    reason: str = Field(description="Stable code of the reason.")
    message: str = Field(description="Human-readable explanation of `reason`.")
    observed_generation: int = Field(description="Generation that the condition describes.")
    last_transition_time: Time = Field(description="Time at which the status of the condition last changed.")


class StatusWarning(ApiModel):
    """A problem to fix that does not stop the rollout."""

    service: str | None = Field(None, description="Name of the service, if the warning concerns one.")
    code: str = Field(description="Stable code of the warning.")
    message: str = Field(description="Human-readable explanation of `code`.")


class MillDeploymentStatus(ApiModel):
    """State that the operator observed and decided."""

    observed_generation: int = Field(-1, description="Generation that this status describes.")
    rollout: Rollout | None = Field(None, description="Current rollout.")
    healthy: str | None = Field(None, description="Number of healthy services out of all services, such as 1/2.")
    serving: str | None = Field(
        None, description="Number of services with ready pods of any version, out of all that want pods, such as 2/2."
    )
    services: list[ServiceStatus] = Field(
        default_factory=list, description="Status of each service, in the order of the file."
    )
    rollout_tasks: list[RolloutTask] = Field(
        default_factory=list, description="Tasks that run in rollouts, those with `before` or `after`."
    )
    active_runs: int = Field(0, description="Number of task runs that have not ended.")
    tasks: list[TaskStatus] = Field(
        default_factory=list, description="Tasks that have runs or cannot start any, by name."
    )
    history: list[PastRollout] = Field(
        default_factory=list, description=f"Previous rollouts, newest first. At most {HISTORY_KEPT}."
    )
    warnings: list[StatusWarning] = Field(
        default_factory=list,
        description="Problems to fix that do not stop the rollout, such as rules that the spec breaks and that were "
        "added after it was accepted, or an autoscaler beside replicas. The first 20.",
    )
    conditions: list[Condition] = Field(
        default_factory=list, description="Conditions Ready, Reconciling, Stalled and Paused."
    )

    @property
    def ready_condition(self) -> Condition | None:
        """The condition Ready; None until the operator has observed the resource."""
        return next((each for each in self.conditions if each.type == "Ready"), None)

    @property
    def summary(self) -> str | None:
        """What Ready says, in full: its own message is short, and Stalled or Reconciling have all of it."""
        others = [each for each in self.conditions if each.type != "Ready" and each.status == "True"]
        found = next(iter(others), self.ready_condition)
        return None if found is None else found.message
