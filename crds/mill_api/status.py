"""What is: the `status` of a MillDeployment, written by the operator alone.

One verdict, made once, read by everybody: the gateway turns it into events, `kubectl` into columns, Argo CD and
Flux into health. Times are RFC 3339 in UTC with milliseconds.
"""

from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from mill_api.spec import ApiModel

HISTORY_KEPT: Final = 5
"""How many rollouts are told of after the next one has begun."""


class State(StrEnum):
    """Where a service stands."""

    PENDING = "Pending"
    PULLING = "Pulling"
    STARTING = "Starting"
    SUSPECT = "Suspect"
    HEALTHY = "Healthy"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"

    @property
    def settled(self) -> bool:
        """Whether a rollout need not wait for this service any longer."""
        return self in (State.HEALTHY, State.FAILED, State.STOPPED)


class Phase(StrEnum):
    """What can happen to a service in a rollout; the `phase` of an event."""

    SCHEDULED = "scheduled"
    PULLING = "pulling"
    STARTING = "starting"
    SUSPECT = "suspect"
    HEALTHY = "healthy"
    FAILED = "failed"
    STOPPED = "stopped"


class Transition(ApiModel):
    """Something that happened to a service in the current rollout."""

    seq: int = Field(description="Position in the rollout, over all services.")
    at: str = Field(description="When.")
    phase: Phase = Field(description="What happened.")
    node: str | None = Field(None, description="On which node, if the phase is about one.")
    code: str | None = Field(None, description="Why: a stable code.")
    message: str | None = Field(None, description="Why: in plain words.")


class Replicas(ApiModel):
    """How many replicas a service has."""

    desired: int = Field(0, description="Asked for.")
    updated: int = Field(0, description="Pods of the wanted template.")
    healthy: int = Field(0, description="Pods of the wanted template that are ready.")


class ServiceStatus(ApiModel):
    """The state of one service, and what happened to it in the current rollout."""

    name: str = Field(description="Name of the service.")
    state: State = Field(State.PENDING, description="Where the service stands.")
    replicas: Replicas = Field(default_factory=Replicas, description="Its replicas.")
    image: str | None = Field(None, description="The image that was asked for.")
    template: str | None = Field(None, description="Hash of the wanted pod template.")
    healthy_template: str | None = Field(None, description="Hash of the pod template that was healthy last.")
    failed_template: str | None = Field(
        None,
        description="Hash of a pod template that failed and was taken back, so that the one before it runs again. "
        "Only of services whose old pods must end before new ones begin.",
    )
    moved_at: str | None = Field(None, description="When its state changed last, or one more replica became healthy.")
    reason: str | None = Field(None, description="Why it is Failed or Suspect: a stable code.")
    message: str | None = Field(None, description="The same in plain words.")
    rule: str | None = Field(None, description="Which rule found it.")
    since: str | None = Field(None, description="When the rule first found it.")
    evidence: str | None = Field(None, description="What the rule saw: the kubelet's words, or the log's last lines.")
    suggestion: str | None = Field(None, description="What can be done about it.")
    transitions: list[Transition] = Field(default_factory=list, description="What happened in this rollout.")


class RunState(StrEnum):
    """Where a run of a task stands."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def settled(self) -> bool:
        """Whether there is a verdict on the run."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED)


class TaskRun(ApiModel):
    """One run of a task: a Job."""

    name: str = Field(description="Name of the run's Job.")
    state: RunState = Field(
        RunState.PENDING,
        description="Where the run stands. Stopped: its Job was deleted before it had ended. A Failed one whose Job "
        "has not ended (an image that cannot be pulled) may still heal.",
    )
    node: str | None = Field(None, description="The node that it was given.")
    reason: str | None = Field(None, description="Why it is Failed, or what it waits for: a stable code.")
    message: str | None = Field(None, description="The same in plain words.")
    rule: str | None = Field(None, description="Which rule found it, as long as the run goes on.")
    since: str | None = Field(None, description="When the rule first found it, as long as the run goes on.")
    created_at: str = Field(description="When it was spawned.")
    started_at: str | None = Field(None, description="When its container started.")
    finished_at: str | None = Field(None, description="When it ended.")
    exit_code: int | None = Field(None, description="What its program returned.")


class TaskStatus(ApiModel):
    """A task that has been spawned, or that cannot be. Not part of any rollout."""

    name: str = Field(description="Name of the task.")
    reason: str | None = Field(None, description="Why the task cannot be spawned: a stable code.")
    message: str | None = Field(None, description="The same in plain words.")
    runs: list[TaskRun] = Field(
        default_factory=list,
        description="Its runs, newest first: the last five that go on, the last five that have ended, and fewer of "
        "each where there are very many. `kubectl get jobs -l mill.dev/task` lists all.",
    )


class FailedService(ApiModel):
    """A service that failed in a past rollout; without a service, why the whole rollout ended."""

    seq: int = Field(description="Position in the rollout.")
    service: str | None = Field(None, description="Name of the service.")
    reason: str = Field(description="Why, in plain words.")


class Rollout(ApiModel):
    """The current rollout: the answer to one generation, or to one request."""

    id: str = Field(description="The generation, and the request if one was made.")
    started_at: str = Field(description="When the operator began.")
    finished_at: str | None = Field(None, description="When every service had a verdict.")
    success: bool | None = Field(None, description="Whether all were good then. Final, unlike the conditions.")
    refused: str | None = Field(None, description="Why nothing was begun: all problems of the spec, a line each.")


class PastRollout(ApiModel):
    """A rollout that is over."""

    id: str = Field(description="The generation, and the request if one was made.")
    started_at: str = Field(description="When it began.")
    finished_at: str = Field(description="When it ended.")
    success: bool = Field(description="Whether all were good at its end.")
    superseded: bool = Field(default=False, description="Whether a newer one ended it before all had a verdict.")
    failed: list[FailedService] = Field(default_factory=list, description="What failed in it.")


class Condition(ApiModel):
    """A Kubernetes condition."""

    type: Literal["Ready", "Reconciling", "Stalled"] = Field(description="What it is about.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it is so.")
    reason: str = Field(description="Why: a stable code.")
    message: str = Field(description="Why: in plain words.")
    observed_generation: int = Field(description="The generation that it is about.")
    last_transition_time: str = Field(description="When the status changed last.")


class MillDeploymentStatus(ApiModel):
    """What the operator saw and decided."""

    observed_generation: int = Field(-1, description="The generation that this status is about.")
    rollout: Rollout | None = Field(None, description="The current rollout.")
    healthy: str | None = Field(None, description="Healthy services of all services, such as 1/2.")
    services: list[ServiceStatus] = Field(default_factory=list, description="Each service, in the order of the file.")
    active_runs: int = Field(0, description="How many runs of tasks have not ended.")
    tasks: list[TaskStatus] = Field(default_factory=list, description="Tasks that have runs, by name.")
    history: list[PastRollout] = Field(default_factory=list, description="The last rollouts before this one.")
    conditions: list[Condition] = Field(default_factory=list, description="Ready, Reconciling and Stalled.")
