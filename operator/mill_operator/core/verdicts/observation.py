"""What a verdict on one service is made of, and what it says: the input and the result of `judge`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mill_api.service_status import Replicas, ServiceStatus, State
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.dependence import INDEPENDENT, Dependence
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.lookup_requests import LookupRequest
from mill_operator.core.verdicts.rule_input import Problem
from mill_operator.core.verdicts.settling_pods import SettlingPods, Window


@dataclass(frozen=True, slots=True)
class JudgeInput:
    """Everything about one service that its observation is made of."""

    service: DesiredService
    pods: Sequence[ObservedPod] = ()
    claims: Sequence[ObservedChild] = ()
    """The claims of its volumes."""
    deployment: ObservedChild | None = None
    problem: Problem | None = None
    """Why an object of it could not be written."""
    previous: ServiceStatus | None = None
    """Its status, which remembers since when a rule has matched."""
    results: LookupResults = NO_RESULTS
    requested_at: datetime | None = None
    """Evidence that is older does not count."""
    dependence: Dependence = INDEPENDENT
    is_held: bool = False
    """Whether its new version does not begin before others have settled."""
    serving_since: str | None = None
    """Since when it serves, as the status has it."""
    window: Window | None = None
    """The open settling window of the desired template, also if an earlier rollout has opened it."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A service at one moment."""

    service: str
    image: str
    template: str
    replicas: Replicas
    nodes: tuple[str, ...]
    """Nodes on which its pods count as scheduled."""
    state: State
    finding: Finding | None
    wake_at: datetime | None
    """When to observe it again though nothing happens."""
    settling: SettlingPods
    """What its pods report about its settling window."""
    settle: timedelta = timedelta(0)
    """How long it must stay ready before its rollout succeeds."""
    serving_since: datetime | None = None
    """Since when at least one pod of any version serves, by its node's clock; None if none does."""
    serving_images: tuple[str, ...] = ()
    """Images of the pods that serve, the most frequent first."""
    root: str | None = None
    """The failed service that its own failure follows from."""
    resumed_at: datetime | None = None
    """When its time limits began to run, as it had no other service to wait for any more."""
    renewed: tuple[ObservedPod, ...] = ()
    """Pods that crashed while something that it refers to did not serve, and are to be replaced."""
    recreated: bool = False
    """Whether the pods of the older version had to end first."""
    health_check: str | None = None
    """What its health checks report while it starts; None while that is normal or not known."""
    lookup_requests: frozenset[LookupRequest] = frozenset()
    """Lookups that would help to judge it."""
    internal_error: InternalError | None = None
    """Why it could not be judged, or not even rendered."""
