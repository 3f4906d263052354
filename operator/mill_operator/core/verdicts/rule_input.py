"""What a rule looks at, and what it finds."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from mill_api.status import ServiceStatus
from mill_operator.core.objects.service import ServiceRequest
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.pods import ObservedPod

ProblemKind: TypeAlias = Literal["refused", "blocked", "taken", "internal"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong before there could be a pod."""

    kind: ProblemKind
    """`refused` by the API server; `blocked` by a webhook; `taken`: another owner has the name; `internal`: an internal
    error while it was rendered."""
    message: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One pod, seen with one of its containers; or what keeps pods from being made, or takes them away."""

    asked: ServiceRequest
    pod: ObservedPod | None = None
    container: str = ""
    """Name of the container, if it is not ours: somebody injected it."""
    refusal: str = ""
    """Why the Deployment cannot make pods."""
    problem: Problem | None = None
    evicted: tuple[ObservedPod, ...] = ()
    """Pods of the wanted template that a node has pushed out."""
    claims: tuple[ObservedChild, ...] = ()
    """The claims of the service's volumes."""
    answers: LookupResults = NO_RESULTS
    """What was looked up."""
    job: ObservedJob | None = None
    """The run of a task that the pod is for."""
    before: ServiceStatus | None = None
    """What was said of the service last."""
    node_clock_skew: timedelta = timedelta(0)
    """How far the node's clock is behind ours, as far as anybody can tell."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule's finding."""

    evidence: str
    values: dict[str, str] = field(default_factory=dict)
    """What the reason's text names."""
    since: datetime | None = None
    """When it began, if the evidence itself says so; otherwise the first sighting counts."""
    grace: timedelta | None = None
    """Overrides the rule's."""
    open_ended: bool = False
    """Only a suspicion: no time makes this a failure."""
