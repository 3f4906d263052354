"""The next status: of a spec that is refused, of a resource that is paused, and of what was observed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mill_api.status import MillDeploymentStatus
from mill_operator.core.objects.rendering import InvalidSpec
from mill_operator.core.observed.edits import Edit, EditedObject
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.reconcile.goal import rolled_back, starts_rollout
from mill_operator.core.reconcile.observations import Observations, Situation
from mill_operator.core.rollout.advance import advance
from mill_operator.core.rollout.conditions import conditions, paused_conditions
from mill_operator.core.rollout.leftovers import leftovers
from mill_operator.core.rollout.outside import report_outside
from mill_operator.core.rollout.put_back import report_edits
from mill_operator.core.rollout.start import refuse_rollout
from mill_operator.core.rollout.updates import failed_without_pods, may_update_more
from mill_operator.core.rollout_tasks.outcome import awaited_tasks
from mill_operator.core.verdicts.dependence import depended_on, has_dependants

WRITE_RETRY: Final = timedelta(seconds=30)
"""After this time a write that the API server refused is tried again, though nothing has changed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The next status, and when to reconcile again though nothing happens."""

    status: MillDeploymentStatus
    wake_at: datetime | None
    waiting_edits: Mapping[EditedObject, Edit]
    """The edits that are reported later."""


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
