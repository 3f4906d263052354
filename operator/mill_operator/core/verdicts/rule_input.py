"""What a rule looks at, and what it finds."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mill_api.status import ServiceStatus
from mill_operator.core.observed.jobs import JobFacts
from mill_operator.core.observed.lookup_results import NOTHING_KNOWN, Answers
from mill_operator.core.observed.pods import ChildFacts, PodFacts


@dataclass(frozen=True, slots=True)
class Asked:
    """What a service was asked to be, as far as the texts and time limits need it."""

    image: str
    memory: str
    secrets: tuple[str, ...] = ()
    budget: timedelta = timedelta(seconds=30)
    """How long a container may take from its first start until it is ready."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong before there could be a pod."""

    kind: str
    """`refused` by the API server; `blocked` by a webhook; `taken`: the name belongs to somebody else; `internal`: it
    could not be rendered, by a fault of ours."""
    message: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One pod, seen with one of its containers; or what keeps pods from being made, or takes them away."""

    asked: Asked
    pod: PodFacts | None = None
    container: str = ""
    """Name of the container, if it is not ours: somebody injected it."""
    refusal: str = ""
    """Why the Deployment cannot make pods."""
    problem: Problem | None = None
    evicted: tuple[PodFacts, ...] = ()
    """Pods of the wanted template that a node has pushed out."""
    claims: tuple[ChildFacts, ...] = ()
    """The claims of the service's volumes."""
    answers: Answers = NOTHING_KNOWN
    """What was looked up."""
    job: JobFacts | None = None
    """The run of a task that the pod is for."""
    before: ServiceStatus | None = None
    """What was said of the service last."""
    clock_shift: timedelta = timedelta(0)
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
