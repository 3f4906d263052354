"""Updates: changes of pod templates that the operator itself makes, and which of them wait.

A new release, or another setting of the operator, may render the same spec otherwise. Then every service has a new pod
template and no rollout was requested. Such services are updated a few at a time over all MillDeployments, and those
with volumes after all others, one at a time. Until then a service is judged by the template that runs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mill_api.rollouts import Rollout
from mill_api.service_status import ServiceStatus, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import limits, timestamps
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.rollout.settling import has_open_window, with_earlier_settlements
from mill_operator.core.verdicts.dependence import has_not_begun


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The updates of all other MillDeployments."""

    taken: int = 0
    """Number of places that services take which were changed and have neither settled nor failed."""
    has_waiting: bool = False
    """Whether services without volumes wait for a place."""


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """The updates of one MillDeployment."""

    begins: Mapping[str, str] = field(default_factory=dict)
    """Services whose update begins, or had begun before the operator started, each with its new template."""
    waits: Mapping[str, str] = field(default_factory=dict)
    """Services that keep their Deployment, each with the template that runs."""
    taken: int = 0
    """Number of places that its services take."""
    wants_place: bool = False
    """Whether a service without volumes waits for a place. Others wait for the end of a rollout."""
    wants_place_alone: bool = False
    """Whether a service with a volume waits for its turn."""


def plan_updates(
    services: Sequence[DesiredService], status: MillDeploymentStatus, begun: Collection[str], elsewhere: Elsewhere
) -> UpdatePlan:
    """Decide which services are updated now. `status` is of the rollout that the resource asks for.

    `services` are those that could be rendered and do not run their older version again. `begun` are those that cannot
    wait: their Deployment is missing or has its new template already, or the rollout in progress has no pod of them.
    """
    taken = count_updating(status)
    changed = changed_services(services, status)
    rollout = status.rollout
    if not changed or rollout is None or rollout.refused is not None or rollout.error is not None:
        return UpdatePlan(taken=taken)  # what a rollout has not carried out is its own change
    known = {each.name: each for each in with_earlier_settlements(status).services}
    waits = {each.name: known[each.name].template or "" for each in changed if each.name not in begun}
    if rollout.finished_at is None:
        return UpdatePlan(waits=waits, taken=taken)  # begun: a part of the rollout
    begins = {each.name: each.template for each in changed if each.name in begun}
    taken += len(begins)
    ready = [each for each in changed if each.name in waits and may_be_updated(rollout, known[each.name])]
    surged, recreated = ([each for each in ready if each.recreate is kind] for kind in (False, True))
    free = max(0, limits.UPDATES_AT_ONCE - elsewhere.taken - taken)
    chosen = surged[:free]
    if not surged and not elsewhere.has_waiting and elsewhere.taken + taken == 0:
        chosen = recreated[:1]
    begins |= {each.name: each.template for each in chosen}
    return UpdatePlan(
        begins=begins,
        waits={name: template for name, template in waits.items() if name not in begins},
        taken=taken + len(chosen),
        wants_place=any(each.name not in begins for each in surged),
        wants_place_alone=any(each.name not in begins for each in recreated),
    )


def changed_services(services: Sequence[DesiredService], status: MillDeploymentStatus) -> list[DesiredService]:
    """Return the services whose template is not the one that the status has, and which has begun."""
    templates = {each.name: each.template for each in status.services if not has_not_begun(each)}
    return [each for each in services if templates.get(each.name) not in (None, each.template)]


def begun_services(
    changed: Sequence[DesiredService], children: Iterable[ChildObject], snapshot: Snapshot, status: MillDeploymentStatus
) -> set[str]:
    """Return the services whose update cannot wait: see `plan_updates`."""
    if not changed:
        return set()
    templates = {each.name: each.template for each in changed}
    applied = {each.service: each.applied for each in snapshot.children if each.kind == "Deployment"}
    begun = {
        each.service
        for each in children
        if each.kind == "Deployment" and each.service is not None
        if each.service in templates and applied.get(each.service) in (None, each.applied)
    }
    pods = {(pod.service, pod.template) for pod in snapshot.pods if not pod.terminating}
    begun |= {name for name, template in templates.items() if (name, template) in pods}
    if status.rollout is not None and status.rollout.finished_at is None:  # its version may not have begun
        begun |= {each.name for each in status.services if (each.name, each.template) not in pods}
    return begun


def failed_without_pods(
    waiting: Mapping[str, str], status: MillDeploymentStatus, pods: Iterable[ObservedPod]
) -> set[str]:
    """Return the failed services that wait for their update without a pod: nothing can change their verdict."""
    failed = {each.name for each in status.services if each.name in waiting and each.state is State.FAILED}
    return failed - {pod.service for pod in pods if pod.template == waiting.get(pod.service)} if failed else failed


def may_update_more(waiting: Mapping[str, str], before: MillDeploymentStatus, after: MillDeploymentStatus) -> bool:
    """Return whether services may be updated now which had to wait for the end of their rollout, or of a stream."""
    old, new = before.rollout, after.rollout
    if old is None or new is None:
        return False
    could = {each.name for each in before.services if may_be_updated(old, each)}
    return any(each.name in waiting and each.name not in could and may_be_updated(new, each) for each in after.services)


def may_be_updated(rollout: Rollout, service: ServiceStatus) -> bool:
    """Return whether a rollout, and the stream of one service in it, have ended: an update is no part of either."""
    return rollout.finished_at is not None and not has_open_window(rollout, service)


def count_updating(status: MillDeploymentStatus) -> int:
    """Return how many services are being updated: each takes a place. None, if the spec is refused."""
    is_refused = status.rollout is not None and status.rollout.refused is not None
    return 0 if is_refused else sum(each.is_updating for each in status.services)


def begin_updates(
    status: MillDeploymentStatus, begins: Mapping[str, str], release: str, now: datetime
) -> MillDeploymentStatus:
    """Return the status in which the update of some services has begun. `release` is the release that updates them."""
    if not begins:
        return status
    services = [
        _begun(each, begins[each.name], release, now) if each.name in begins else each for each in status.services
    ]
    return status.model_copy(update={"services": services})


def _begun(before: ServiceStatus, template: str, release: str, now: datetime) -> ServiceStatus:
    """Return a service at the start of its update: nothing is known of the new template."""
    return ServiceStatus(
        name=before.name,
        state=State.PENDING,
        replicas=before.replicas.model_copy(update={"updated": 0, "healthy": 0}),
        image=before.image,
        template=template,
        # It has to settle again, also if an earlier release had the same template.
        healthy_template=before.healthy_template if before.healthy_template != template else None,
        settle=before.settle,
        serving_since=before.serving_since,
        serving_images=before.serving_images,
        # Annotations can change the template again and again: that must not keep a place for ever.
        moved_at=before.moved_at if before.is_updating else timestamps.render(now),
        updated_by=release,
        transitions=before.transitions,
    )
