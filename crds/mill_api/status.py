"""What is: the `status` of a MillDeployment, written by the operator alone.

One verdict, made once, read by everybody: the gateway turns it into events, `kubectl` into columns, Argo CD and
Flux into health. Times are RFC 3339 in UTC with milliseconds.

A status may have been written by a newer release, since each can be rolled back to the one before: words that are not
known here are kept as they stand, and `mill_api.status_reading` reads what does not fit these models.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from mill_api.spec import ApiModel

HISTORY_KEPT: Final = 5
"""How many rollouts are told of after the next one has begun."""
LAST_SEQ: Final = 900_000
"""The last position that something may have that happens to a service in a rollout."""
UNJUDGED_SEQ: Final = 1_000_000
"""The position of what ends a rollout as a whole, after all of that: `failed` says of it why."""
INTERNAL_ERROR: Final = "InternalError"
"""The code of what cannot be judged by a fault of mill itself."""
SPEC_WARNING: Final = "SpecWarning"
"""The code of a warning that a spec breaks a rule which was made after it had been accepted."""


def _time(text: str) -> str:
    """Refuse what is no time, or one with which nobody can reckon."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1970 <= moment.year <= 9000:
        raise ValueError("no time with a zone between the years 1970 and 9000")
    return text


def _up_to(last: int) -> AfterValidator:
    """Refuse a position that is none, or after `last`: nothing may come after the last event of a rollout."""

    def check(position: int) -> int:
        if not 0 <= position <= last:
            raise ValueError(f"no position from 0 to {last}")
        return position

    return AfterValidator(check)


# Checked when a status is read, not by the API server: what another release writes is not to be refused.
Time = Annotated[str, AfterValidator(_time)]
Seq = Annotated[int, _up_to(LAST_SEQ)]
FailedSeq = Annotated[int, _up_to(UNJUDGED_SEQ)]


class Word(StrEnum):
    """One of several words. One that is not known here, of a newer release, is kept as it stands.

    Such a word is equal to its text, and to no member. No schema lists the words: an API server that has this
    release's schema keeps the status of the next one.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_, word._value_ = "UNKNOWN", str(value)
        return word

    @property
    def known(self) -> bool:
        """Whether it is a word of this release."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of any text, which names the words of this release."""
        return {"type": "string", "examples": list(cls)}


class State(Word):
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


class Phase(Word):
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

    seq: Seq = Field(description="Position in the rollout, over all services.")
    at: Time = Field(description="When.")
    phase: Phase = Field(description=f"What happened: {', '.join(Phase)}.")
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
    state: State = Field(State.PENDING, description=f"Where the service stands: {', '.join(State)}.")
    replicas: Replicas = Field(default_factory=Replicas, description="Its replicas.")
    image: str | None = Field(None, description="The image that was asked for.")
    template: str | None = Field(None, description="Hash of the wanted pod template.")
    healthy_template: str | None = Field(None, description="Hash of the pod template that was healthy last.")
    failed_template: str | None = Field(
        None,
        description="Hash of a pod template that failed and was taken back, so that the one before it runs again. "
        "Only of services whose old pods must end before new ones begin.",
    )
    moved_at: Time | None = Field(None, description="When its state changed last, or one more replica became healthy.")
    reason: str | None = Field(None, description="Why it is Failed or Suspect: a stable code.")
    message: str | None = Field(None, description="The same in plain words.")
    rule: str | None = Field(None, description="Which rule found it.")
    since: Time | None = Field(None, description="When the rule first found it.")
    evidence: str | None = Field(None, description="What the rule saw: the kubelet's words, or the log's last lines.")
    suggestion: str | None = Field(None, description="What can be done about it.")
    transitions: list[Transition] = Field(default_factory=list, description="What happened in this rollout.")


class RunState(Word):
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
        description=f"Where the run stands: {', '.join(RunState)}. Stopped: its Job was deleted before it had ended. A "
        "Failed one whose Job has not ended (an image that cannot be pulled) may still heal.",
    )
    node: str | None = Field(None, description="The node that it was given.")
    reason: str | None = Field(None, description="Why it is Failed, or what it waits for: a stable code.")
    message: str | None = Field(None, description="The same in plain words.")
    rule: str | None = Field(None, description="Which rule found it, as long as the run goes on.")
    since: Time | None = Field(None, description="When the rule first found it, as long as the run goes on.")
    created_at: Time = Field(description="When it was spawned.")
    started_at: Time | None = Field(None, description="When its container started.")
    finished_at: Time | None = Field(None, description="When it ended.")
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

    seq: FailedSeq = Field(description="Position in the rollout.")
    service: str | None = Field(None, description="Name of the service.")
    reason: str = Field(description="Why, in plain words.")


class Rollout(ApiModel):
    """The current rollout: the answer to one generation, or to one request."""

    id: str = Field(description="The generation, and the request if one was made.")
    started_at: Time = Field(description="When the operator began.")
    finished_at: Time | None = Field(None, description="When every service had a verdict.")
    success: bool | None = Field(None, description="Whether all were good then. Final, unlike the conditions.")
    refused: str | None = Field(None, description="Why nothing was begun: all problems of the spec, a line each.")
    error: str | None = Field(
        None, description="Why it was ended without verdicts: it could not be judged, by a fault of mill itself."
    )


class PastRollout(ApiModel):
    """A rollout that is over."""

    id: str = Field(description="The generation, and the request if one was made.")
    started_at: Time = Field(description="When it began.")
    finished_at: Time = Field(description="When it ended.")
    success: bool = Field(description="Whether all were good at its end.")
    superseded: bool = Field(default=False, description="Whether a newer one ended it before all had a verdict.")
    failed: list[FailedService] = Field(default_factory=list, description="What failed in it.")


class Condition(ApiModel):
    """A Kubernetes condition."""

    type: str = Field(description="What it is about: Ready, Reconciling or Stalled.")
    status: str = Field(description="Whether it is so: True, False or Unknown.")
    reason: str = Field(description="Why: a stable code.")
    message: str = Field(description="Why: in plain words.")
    observed_generation: int = Field(description="The generation that it is about.")
    last_transition_time: Time = Field(description="When the status changed last.")


class StatusWarning(ApiModel):
    """Something that is to be mended, though mill goes on."""

    service: str | None = Field(None, description="Name of the service that it is about, if it is about one.")
    code: str = Field(description="What it is: a stable code.")
    message: str = Field(description="The same in plain words.")


class MillDeploymentStatus(ApiModel):
    """What the operator saw and decided."""

    observed_generation: int = Field(-1, description="The generation that this status is about.")
    rollout: Rollout | None = Field(None, description="The current rollout.")
    healthy: str | None = Field(None, description="Healthy services of all services, such as 1/2.")
    services: list[ServiceStatus] = Field(default_factory=list, description="Each service, in the order of the file.")
    active_runs: int = Field(0, description="How many runs of tasks have not ended.")
    tasks: list[TaskStatus] = Field(default_factory=list, description="Tasks that have runs, by name.")
    history: list[PastRollout] = Field(default_factory=list, description="The last rollouts before this one.")
    warnings: list[StatusWarning] = Field(
        default_factory=list,
        description="What is to be mended, though mill goes on: rules that the spec breaks, and that were made after "
        "it had been accepted. The first 20.",
    )
    conditions: list[Condition] = Field(default_factory=list, description="Ready, Reconciling and Stalled.")
