"""The part of the status about services: their states, and their transitions in the current rollout."""

from typing import Annotated

from pydantic import AfterValidator, Field

from mill_api.fields import ApiModel
from mill_api.status_words import Seq, Time, Word, span


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
