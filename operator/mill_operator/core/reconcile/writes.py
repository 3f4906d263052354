"""Which objects a reconciliation writes: what differs from the goal, without what has to wait."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from mill_api.status import MillDeploymentStatus
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import KnownVersion, Plan, plan, postponed
from mill_operator.core.objects.rendering import DesiredState
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.reconcile.goal import Goal, rolled_back, services_of, starts_rollout
from mill_operator.core.rollout.updates import Elsewhere, UpdatePlan, begun_services, changed_services, plan_updates
from mill_operator.core.tasks.status import outliving
from mill_operator.core.verdicts.dependence import has_dependants, held, held_by_tasks


@dataclass(frozen=True, slots=True)
class Writes:
    """The writes of a reconciliation, in this order: adopt, then the plan."""

    adopt: tuple[ObservedJob, ...]
    """Running Jobs that would be deleted with their CronJob."""
    plan: Plan
    postponed: Mapping[str, datetime]
    """The services whose Deployment must not be changed yet, and until when."""


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
        services = services_of(goal, status, snapshot.pods, now, is_new_request=is_new_request)
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
