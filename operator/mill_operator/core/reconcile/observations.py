"""All services at one moment: each judged by its pods, its objects and the services that it depends on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mill_api.service_status import ServiceStatus
from mill_api.status import MillDeploymentStatus
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import InternalError, internal_error_of
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.edits import Edit, EditedObject
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.reconcile.goal import Goal, services_of
from mill_operator.core.rollout.leftovers import late_pod_lookups
from mill_operator.core.rollout.settling import open_window
from mill_operator.core.rollout.stale_pods import pods_to_replace
from mill_operator.core.verdicts.dependence import dependence
from mill_operator.core.verdicts.judge import judge
from mill_operator.core.verdicts.lookup_requests import LookupRequest
from mill_operator.core.verdicts.observation import JudgeInput, Observation
from mill_operator.core.verdicts.rule_input import Problem
from mill_operator.core.verdicts.unjudged import unjudged


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that verdicts and the next status are made of, when the writes are done."""

    goal: Goal
    snapshot: Snapshot
    problems: Mapping[str, Problem]
    """Why objects could not be written, by `ChildObject.applied`."""
    status: MillDeploymentStatus
    """The newest status that was made."""
    written: MillDeploymentStatus
    """The newest status that the API server has."""
    now: datetime
    edits: Mapping[EditedObject, Edit] = field(default_factory=dict)
    """The edits that were put back and are not reported yet."""


@dataclass(frozen=True, slots=True)
class Observations:
    """All desired services as they are at one moment, in the order of the file."""

    services: Sequence[Observation]

    @property
    def lookup_requests(self) -> frozenset[LookupRequest]:
        """The lookups that would help to judge them better."""
        return frozenset(question for each in self.services for question in each.lookup_requests)

    @property
    def internal_errors(self) -> dict[str, InternalError]:
        """Why services could not be rendered or judged, by their names."""
        return {each.service: each.internal_error for each in self.services if each.internal_error is not None}

    @property
    def renewed_pods(self) -> list[ObservedPod]:
        """The pods that have crashed for want of another service, which serves by now."""
        return [pod for each in self.services for pod in each.renewed]


def observe_services(
    situation: Situation, results: LookupResults = NO_RESULTS, *, is_new_request: bool = False
) -> Iterator[Observation]:
    """Yield an observation of each service. An unexpected error is that service's alone.

    `is_new_request` forgets since when something has been wrong: a rollout starts at this moment.
    """
    snapshot, now = situation.snapshot, situation.now
    pods_of: dict[str, list[ObservedPod]] = {}
    for pod in snapshot.pods:
        pods_of.setdefault(pod.service, []).append(pod)
    deployments: dict[str, ObservedChild] = {}
    claims_of: dict[str, list[ObservedChild]] = {}
    for child in snapshot.children:
        if child.kind == "Deployment":
            deployments[child.service] = child
        elif child.kind == "PersistentVolumeClaim":
            claims_of.setdefault(child.service, []).append(child)
    services = services_of(situation.goal, situation.status, snapshot.pods, now, is_new_request=is_new_request)
    begun = {child.service: child.applied for child in situation.goal.children if child.kind == "Deployment"}
    rollout = None if is_new_request else situation.status.rollout
    requested_at = timestamps.parse(rollout.started_at) if rollout else now
    known = services.known
    previous = {} if is_new_request else known
    problems = _problems_by_service(situation)

    def observation(service: DesiredService, before: ServiceStatus | None) -> Observation:
        if service.internal_error is not None:
            return unjudged(service, service.internal_error, before, now)
        depends, deployment = dependence(service, services, now), deployments.get(service.name)
        given = JudgeInput(
            service,
            pods_of.get(service.name, ()),
            claims_of.get(service.name, ()),
            deployment=deployment,
            problem=problems.get(service.name),
            previous=before,
            results=results,
            requested_at=requested_at,
            serving_since=recorded.serving_since if (recorded := known.get(service.name)) else None,
            window=open_window(recorded, service.template),
            dependence=depends,
            is_held=depends.hold is not None
            or (bool(depends.held_by) and (deployment is None or deployment.applied != begun.get(service.name))),
        )
        try:
            return judge(given, now)
        except Exception as error:  # noqa: BLE001 - any error is of this part alone
            return unjudged(service, internal_error_of(error), before, now)

    for service in situation.goal.desired.services:
        yield observation(service, previous.get(service.name))


def stale_pods(observations: Observations, snapshot: Snapshot, before_writes: Snapshot) -> list[ObservedPod]:
    """Return the pods that a new rollout replaces: only those that existed, as they are, before its writes."""
    return pods_to_replace(observations.services, [pod for pod in before_writes.pods if pod in snapshot.pods])


def leftover_lookups(situation: Situation) -> set[LookupRequest]:
    """Return the lookups of nodes whose pods should have ended by now."""
    return late_pod_lookups(situation.status.services, situation.snapshot.pods, situation.now)


def _problems_by_service(situation: Situation) -> dict[str | None, Problem]:
    """Return a problem of each service's objects: a name that is taken, since it keeps back all, or else the first."""
    found: dict[str | None, Problem] = {}
    for child in situation.goal.children if situation.problems else ():
        if (problem := situation.problems.get(child.applied)) is not None:
            known = found.setdefault(child.service, problem)
            if problem.kind == "taken" and known.kind != "taken":
                found[child.service] = problem
    return found
