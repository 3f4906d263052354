"""Everything in the caches that belongs to one MillDeployment, at one moment."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Self

from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.ownership import is_ours
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.schedules import ObservedSchedule


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The observed objects of one resource, without those of a predecessor and of other owners.

    A predecessor is an older resource of the same name. The garbage collector deletes its objects. Until then they
    occupy their names, as do objects with the resource's labels that have another controller.
    """

    pods: tuple[ObservedPod, ...] = ()
    """The pods of its services."""
    children: tuple[ObservedChild, ...] = ()
    others: tuple[ObservedChild, ...] = ()
    """The child objects of a predecessor and of other owners."""
    jobs: tuple[ObservedJob, ...] = ()
    """The runs of its tasks: also of those that it has no more."""
    run_pods: tuple[ObservedPod, ...] = ()
    """The pods of these runs."""

    @classmethod
    def of(
        cls,
        resource: ObservedMillDeployment,
        pods: Iterable[ObservedPod],
        children: Iterable[ObservedChild],
        jobs: Iterable[ObservedJob],
    ) -> Self:
        """Sort out what carries the resource's name.

        Pods do not name the resource. Those of a predecessor are older than the resource, unless their Deployment was
        taken over from the predecessor, and then is older as well.
        """
        owner, created = resource.owner, resource.created
        everything, pods = list(children), list(pods)
        own = [child for child in everything if is_ours(child, owner)]
        others = [child for child in everything if not is_ours(child, owner)]
        taken_over = {each.service for each in own if each.kind == "Deployment" and each.created < created}
        cron_jobs = {each.uid for each in own if each.kind == "CronJob" and each.owner_uid == owner.uid}
        owners = {owner.uid, *cron_jobs}
        return cls(
            pods=tuple([pod for pod in pods if pod.service and (pod.created >= created or pod.service in taken_over)]),
            children=tuple(own),
            others=tuple(others),
            jobs=tuple([job for job in jobs if not owners.isdisjoint(job.owners)]),
            run_pods=tuple([pod for pod in pods if pod.job]),
        )

    @property
    def all_children(self) -> tuple[ObservedChild, ...]:
        """All child objects that have the resource's labels, whoever owns them."""
        return (*self.children, *self.others)

    @property
    def schedules(self) -> dict[str, ObservedSchedule]:
        """When runs of its tasks start by themselves, by the names of the tasks."""
        return {each.key.name: each.schedule for each in self.children if each.schedule is not None}

    def without_pods(self, pods: Collection[ObservedPod]) -> Self:
        """Return the snapshot without some pods, which were deleted."""
        return replace(self, pods=tuple(pod for pod in self.pods if pod not in pods))
