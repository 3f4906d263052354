"""Subjects of rules, and their matches."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from mill_api.service_status import ServiceStatus
from mill_operator.core.objects.service import ServiceRequest
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.pods import ObservedPod

ProblemKind: TypeAlias = Literal["refused", "blocked", "taken", "host", "route", "internal"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong before there could be a pod."""

    kind: ProblemKind
    """`refused` by the API server; `blocked` by a webhook; `taken`: another owner has the name; `host`: the
    namespace does not allow a host; `route`: another Ingress has a route; `internal`: an internal
    error while it was rendered."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Base of the subjects of rules, with what the texts of every finding need."""

    request: ServiceRequest
    results: LookupResults = NO_RESULTS
    """Results of lookups."""
    previous: ServiceStatus | None = None
    """The service's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSubject(Subject):
    """A pod with one of its containers."""

    pod: ObservedPod
    container: str = ""
    """Name of the container if it was injected; empty for ours."""
    claims: tuple[ObservedChild, ...] = ()
    """The claims of the service's volumes."""
    job: ObservedJob | None = None
    """The run of a task that the pod is for."""
    node_clock_skew: timedelta = timedelta(0)
    """Time by which the node's clock is behind the operator's, as far as it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationSubject(Subject):
    """Pods that are missing, and why their Deployment or Job cannot create them; empty if it does not say."""

    refusal: str
    job: ObservedJob | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSubject(Subject):
    """An object that could not be written."""

    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionSubject(Subject):
    """The pods of the desired template that nodes have evicted, oldest first."""

    pods: tuple[ObservedPod, ...]
    recent: tuple[ObservedPod, ...] = ()
    """Those that nodes have evicted or rejected of late, oldest first."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule's finding."""

    evidence: str
    values: dict[str, str] = field(default_factory=dict)
    """Values for the names in the reason's texts."""
    since: datetime | None = None
    """Start of the cause, if the evidence has it; otherwise its first observation counts."""
    grace: timedelta | None = None
    """Overrides the rule's."""
    open_ended: bool = False
    """Only a suspicion: no time makes this a failure."""
    waits: bool = False
    """Whether it lasts for as long as others want: the time without progress does not run."""
