"""The goal of a reconciliation, and what it says of services that depend on each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from mill_api.service_status import State
from mill_api.status import MillDeploymentStatus
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.rendering import DesiredState
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.pods import ObservedPod, serving_pods, serving_since
from mill_operator.core.rollout_tasks.holds import Hold
from mill_operator.core.verdicts.dependence import Services, has_dependants


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


def starts_rollout(resource: ObservedMillDeployment, status: MillDeploymentStatus) -> bool:
    """Return whether the resource asks for another rollout than the one in the status."""
    return status.rollout is None or status.rollout.id != resource.rollout_id


def rolled_back(status: MillDeploymentStatus) -> set[str]:
    """Return the services whose failed version is to be replaced by the older one."""
    return {service.name for service in status.services if service.failed_template is not None}


def services_of(
    goal: Goal, status: MillDeploymentStatus, pods: Iterable[ObservedPod], now: datetime, *, is_new_request: bool
) -> Services:
    """Return what is known of the services, and of those that they depend on, to see who waits for whom."""
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
