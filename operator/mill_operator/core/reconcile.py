"""The decisions of a reconciliation: which objects to write, what to look up, and what the status says.

There are two, because verdicts are made after the writes: `decide_writes` compares the desired state with a snapshot,
and `decide_status` judges the snapshot that is taken when the writes are done. Both are functions of plain data. The
reconciler reads the caches, carries the decisions out, and makes the lookups that they ask for in between.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self

from mill_api.service_status import ServiceStatus, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import InternalError, internal_error_of
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import KnownVersion, Plan, plan, postponed
from mill_operator.core.objects.rendering import DesiredState, InvalidSpec
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.edits import Edit, EditedObject
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.pods import ObservedPod, serving_pods, serving_since
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.rollout.advance import advance
from mill_operator.core.rollout.conditions import conditions, paused_conditions
from mill_operator.core.rollout.leftovers import late_pod_lookups, leftovers
from mill_operator.core.rollout.outside import report_outside
from mill_operator.core.rollout.put_back import report_edits
from mill_operator.core.rollout.settling import open_window
from mill_operator.core.rollout.stale_pods import pods_to_replace
from mill_operator.core.rollout.start import refuse_rollout
from mill_operator.core.rollout.updates import (
    Elsewhere,
    UpdatePlan,
    begun_services,
    changed_services,
    failed_without_pods,
    may_update_more,
    plan_updates,
)
from mill_operator.core.rollout_tasks.holds import Hold
from mill_operator.core.rollout_tasks.outcome import awaited_tasks
from mill_operator.core.tasks.status import outliving
from mill_operator.core.verdicts.dependence import (
    Services,
    depended_on,
    dependence,
    has_dependants,
    held,
    held_by_tasks,
)
from mill_operator.core.verdicts.judge import judge
from mill_operator.core.verdicts.lookup_requests import LookupRequest
from mill_operator.core.verdicts.observation import JudgeInput, Observation
from mill_operator.core.verdicts.rule_input import Problem
from mill_operator.core.verdicts.unjudged import unjudged

WRITE_RETRY: Final = timedelta(seconds=30)
"""After this time a write that the API server refused is tried again, though nothing has changed."""


@dataclass(frozen=True, slots=True)
class Goal:
    """The goal of a reconciliation: the desired objects, rollbacks included."""

    resource: ObservedMillDeployment
    desired: DesiredState
    children: Sequence[ChildObject]
    """The objects of the desired state, with those of `rolled_back` services in place of theirs."""
    rolled_back: Collection[str]
    """The services that run their older version again."""
    holds: Mapping[str, Hold] = field(default_factory=dict)
    """The services whose new version waits for tasks."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """The services that wait for their update, each with the template that runs. `desired` has that template."""

    def with_waiting(self, waiting: Mapping[str, str]) -> Self:
        """Return the goal in which some services wait for their update, each with the template that runs."""
        return replace(self, desired=self.desired.with_templates(waiting), waiting=waiting) if waiting else self


@dataclass(frozen=True, slots=True)
class Writes:
    """The writes of a reconciliation, in this order: adopt, then the plan."""

    adopt: tuple[ObservedJob, ...]
    """Running Jobs that would be deleted with their CronJob."""
    plan: Plan
    postponed: Mapping[str, datetime]
    """The services whose Deployment must not be changed yet, and until when."""


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


@dataclass(frozen=True, slots=True)
class Decision:
    """The next status, and when to reconcile again though nothing happens."""

    status: MillDeploymentStatus
    wake_at: datetime | None
    waiting_edits: Mapping[EditedObject, Edit]
    """The edits that are reported later."""


def starts_rollout(resource: ObservedMillDeployment, status: MillDeploymentStatus) -> bool:
    """Return whether the resource asks for another rollout than the one in the status."""
    return status.rollout is None or status.rollout.id != resource.rollout_id


def refused_status(
    resource: ObservedMillDeployment, invalid: InvalidSpec, status: MillDeploymentStatus, now: datetime
) -> MillDeploymentStatus:
    """Return the next status of a resource whose spec is refused."""
    if starts_rollout(resource, status):
        generation, rollout_id = resource.generation, resource.rollout_id
        return refuse_rollout(status, invalid.reason, generation=generation, rollout_id=rollout_id, now=now)
    # Conditions of reconciliations that failed before this one are over.
    return status.model_copy(update={"conditions": conditions(status, status.conditions, now)})


def paused_status(
    resource: ObservedMillDeployment, status: MillDeploymentStatus, now: datetime
) -> MillDeploymentStatus:
    """Return the next status of a paused resource: the one it has, which says so."""
    is_rolled_out = not starts_rollout(resource, status)
    paused = paused_conditions(status.conditions, generation=resource.generation, is_rolled_out=is_rolled_out, now=now)
    return status.model_copy(update={"conditions": paused})


def services_to_roll_back(
    desired: DesiredState, status: MillDeploymentStatus, written: MillDeploymentStatus
) -> Iterator[tuple[ChildObject, str]]:
    """Yield the Deployments of services that go back to the version that worked, each with that template's hash.

    Only failures in the `written` status count: whatever becomes of the failed pods then, their evidence is kept. The
    failed template need not be the desired one any more: another release renders the same version otherwise.
    """
    requested_again = rolled_back(written) - rolled_back(status)
    deployments = {each.service: each for each in desired.children if each.kind == "Deployment"}
    for service in written.services:
        name, good, failed = service.name, service.healthy_template, service.failed_template
        if good is None or failed is None or name in requested_again:
            continue
        if (deployment := deployments.get(name)) is not None:
            yield deployment, good


def decide_updates(goal: Goal, snapshot: Snapshot, status: MillDeploymentStatus, elsewhere: Elsewhere) -> UpdatePlan:
    """Decide which services the operator updates though no rollout was requested. It updates none if one was."""
    if starts_rollout(goal.resource, status):
        return UpdatePlan()
    services = [
        each for each in goal.desired.services if each.internal_error is None and each.name not in goal.rolled_back
    ]
    begun = begun_services(changed_services(services, status), goal.children, snapshot, status)
    return plan_updates(services, status, begun, elsewhere)


def decide_writes(
    goal: Goal, snapshot: Snapshot, status: MillDeploymentStatus, known: Mapping[str, KnownVersion], now: datetime
) -> Writes:
    """Compare the objects that should exist with those that do. For `known` see `plan`."""
    later = postponed(goal.desired.services, snapshot.pods, now)
    waiting: set[str] = set()
    if goal.holds or has_dependants(goal.desired.services):
        is_new_request = starts_rollout(goal.resource, status)
        services = _services(goal, status, snapshot.pods, now, is_new_request=is_new_request)
        waiting = {
            service.name
            for service in goal.desired.services
            if held(service, services) or held_by_tasks(service, services)
        }
    todo = plan(
        goal.children,
        snapshot.all_children,
        owner=goal.resource.owner,
        known=known,
        postponed={*later, *waiting, *goal.waiting},
        held=waiting,
        unrendered=goal.desired.unrendered,
        addresses=goal.desired.addresses,
    )
    return Writes(tuple(outliving(snapshot.jobs, todo.delete)) if todo.delete else (), todo, later)


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
    services = _services(situation.goal, situation.status, snapshot.pods, now, is_new_request=is_new_request)
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


def decide_status(
    situation: Situation, observations: Observations, results: LookupResults, postponed: Mapping[str, datetime]
) -> Decision:
    """Return the next status. `results` are those of `leftover_lookups`."""
    goal, snapshot, now = situation.goal, situation.snapshot, situation.now
    names = [service.name for service in goal.desired.services]
    step = advance(
        situation.status,
        observations.services,
        generation=goal.resource.generation,
        rollout_id=goal.resource.rollout_id,
        leftovers=leftovers(names, snapshot.children, snapshot.pods, owner=goal.resource.owner, nodes=results.nodes),
        rolled_back={*goal.rolled_back, *failed_without_pods(goal.waiting, situation.status, snapshot.pods)},
        tasks=awaited_tasks(goal.desired.rollout_tasks, situation.status.rollout_tasks, goal.resource.rollout_id),
        now=now,
    )
    outside = report_outside(step.status, snapshot.children, now)
    report = report_edits(outside.status, situation.edits, now)
    moments = [step.wake_at, outside.wake_at, report.wake_at, *postponed.values()]
    if goal.waiting and may_update_more(goal.waiting, situation.status, step.status):
        moments.append(now)  # the rollout has ended, or a stream of it
    if rolled_back(situation.written) != rolled_back(step.status):
        moments.append(now)  # once the evidence is written, the older version can come back
    if has_dependants(goal.desired.services) and depended_on(situation.status.services, step.status.services):
        moments.append(now)  # their verdicts are made of this status
    if situation.problems:
        moments.append(now + WRITE_RETRY)
    wake_at = min((moment for moment in moments if moment is not None), default=None)
    return Decision(report.status, wake_at, report.waiting)


def rolled_back(status: MillDeploymentStatus) -> set[str]:
    """Return the services whose failed version is to be replaced by the older one."""
    return {service.name for service in status.services if service.failed_template is not None}


def _services(
    goal: Goal, status: MillDeploymentStatus, pods: Iterable[ObservedPod], now: datetime, *, is_new_request: bool
) -> Services:
    rollout, known = status.rollout, {each.name: each for each in status.services}
    serving: dict[str, list[ObservedPod]] = {}
    for pod in serving_pods(pods) if has_dependants(goal.desired.services) else ():
        serving.setdefault(pod.service, []).append(pod)
    return Services(
        desired={each.name: each for each in goal.desired.services},
        known=known,
        serving={
            name: serving_since(pods, before.serving_since if (before := known.get(name)) else None, now)
            for name, pods in serving.items()
        },
        failed={each.name for each in status.services if each.state is State.FAILED and not is_new_request},
        holds=goal.holds,
        begins_versions=is_new_request or rollout is None or rollout.finished_at is None,
    )


def _problems_by_service(situation: Situation) -> dict[str | None, Problem]:
    """Return a problem of each service's objects: a name that is taken, since it keeps back all, or else the first."""
    found: dict[str | None, Problem] = {}
    for child in situation.goal.children if situation.problems else ():
        if (problem := situation.problems.get(child.applied)) is not None:
            known = found.setdefault(child.service, problem)
            if problem.kind == "taken" and known.kind != "taken":
                found[child.service] = problem
    return found
