"""What a service's verdict has to do with the services that it refers to, or comes after.

A service that refers to another one is patient while that one serves nothing: it may crash until then. A service that
comes after another one has no pods of its new version until that one has settled. Nothing else couples services.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mill_api.service_status import ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.rollout_tasks.holds import Hold
from mill_operator.core.timestamps import CLOCKS_DIFFER
from mill_operator.core.verdicts.rule import Speed
from mill_operator.core.verdicts.rules import BY_ID
from mill_operator.core.verdicts.rules.progress import NOT_BEGUN, RELEASE_FAILED

AFTER_ROOT: Final = timedelta(seconds=10)
"""How long a service has after the failure of one that it refers to, unless only a change can heal that one."""


@dataclass(frozen=True, slots=True)
class Root:
    """A failed service that another one's failure may follow from."""

    name: str
    cause: str
    failed_at: datetime
    since: datetime
    """No failure that follows from it is reported before."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """What a verdict has to know of the services that one refers to, or comes after."""

    waiting_for: tuple[str, ...] = ()
    """Services that it refers to which serve nothing, and may yet do."""
    root: Root | None = None
    """The first failed one of those that it refers to and which serve nothing."""
    served_since: datetime | None = None
    """When the last one of those that it refers to began to serve; None if one does not."""
    held_by: tuple[str, ...] = ()
    """Services that have to settle before its new version begins."""
    held_root: Root | None = None
    """The first failed one of those."""
    hold: Hold | None = None
    """The tasks that have to succeed before its new version begins."""

    @property
    def resumed_at(self) -> datetime | None:
        """When the service's time limits began to run, as it had no one to wait for any more."""
        return self.root.failed_at if self.root is not None else self.served_since


INDEPENDENT: Final = Dependence()


@dataclass(frozen=True, slots=True)
class Services:
    """What is known of all services of a MillDeployment before they are judged."""

    desired: Mapping[str, DesiredService]
    known: Mapping[str, ServiceStatus]
    serving: Mapping[str, datetime]
    """Services with a ready pod of any version, and since when there is one."""
    failed: Collection[str]
    """Services that have failed in the rollout that is in progress, or was the last."""
    holds: Mapping[str, Hold]
    """The tasks that have to succeed before the new version of a service begins."""
    begins_versions: bool
    """Whether a rollout is in progress, so that new versions begin in the order of the file's `after`."""


def dependence(service: DesiredService, services: Services, now: datetime) -> Dependence:
    """Return what the verdict on a service has to know of others."""
    hold = held_by_tasks(service, services)
    if not service.refers_to and not service.after and hold is None:
        return INDEPENDENT
    held_by = held(service, services)
    idle = [name for name in service.refers_to if name in services.desired and name not in services.serving]
    failed = [name for name in idle if name in services.failed]
    waiting_for = tuple(name for name in idle if name not in failed and _wants_pods(name, services))
    began = [services.serving[name] for name in service.refers_to if name in services.serving]
    return Dependence(
        waiting_for=waiting_for,
        root=_root(failed[0], services, now) if failed else None,
        served_since=max(began, default=None) if not waiting_for and not failed else None,
        held_by=held_by,
        held_root=next((_root(name, services, now) for name in held_by if name in services.failed), None),
        hold=hold,
    )


def held(service: DesiredService, services: Services) -> tuple[str, ...]:
    """Return the services that have to settle before the new version of this one begins."""
    if not service.after or not (services.begins_versions or has_not_begun(services.known.get(service.name))):
        return ()
    return tuple(
        name
        for name in service.after
        if name in services.desired and not _has_settled(services.desired[name], services.known.get(name))
    )


def held_by_tasks(service: DesiredService, services: Services) -> Hold | None:
    """Return the tasks that have to succeed before the new version of a service begins."""
    begins = services.begins_versions or has_not_begun(services.known.get(service.name))
    return services.holds.get(service.name) if begins else None


def pods_to_renew(service: DesiredService, pods: Sequence[ObservedPod], given: Dependence) -> list[ObservedPod]:
    """Return the pods that have crashed while what the service refers to did not serve, and now does.

    The kubelet's back-off belongs to the pod, and may be minutes by now. A pod that was created since is not renewed,
    so that it happens once.
    """
    if given.served_since is None:
        return []
    ours = (pod for pod in pods if pod.template == service.template and not pod.ready and not pod.terminating)
    return [pod for pod in ours if has_crashed_before(pod, given)]


def has_crashed_before(pod: ObservedPod, given: Dependence) -> bool:
    """Return whether a pod has crashed before what its service refers to served, as far as it reports.

    One that has been ready since, or lost its readiness since, is judged as alone.
    """
    since = given.served_since
    if since is None or not pod.container.crashes or pod.created > since:
        return False
    changed_at = pod.ready_at if pod.ready else pod.unready_since
    return changed_at is None or changed_at <= since + CLOCKS_DIFFER


def has_dependants(services: Iterable[DesiredService]) -> bool:
    """Return whether any service refers to another one, or comes after it."""
    return any(service.refers_to or service.after for service in services)


def depended_on(before: Sequence[ServiceStatus], after: Sequence[ServiceStatus]) -> bool:
    """Return whether something has changed that the verdicts on other services depend on."""
    return {_relevant(each) for each in before} != {_relevant(each) for each in after}


def has_not_begun(known: ServiceStatus | None) -> bool:
    """Return whether the desired version of a service has not begun, because of what comes before it."""
    return known is not None and (known.state is State.WAITING or known.rule in (NOT_BEGUN.id, RELEASE_FAILED.id))


def _relevant(service: ServiceStatus) -> tuple[object, ...]:
    return service.name, service.template, service.settled_at, service.serving_since, service.failed_at


def _has_settled(desired: DesiredService, known: ServiceStatus | None) -> bool:
    return known is not None and known.has_settled(desired.template)


def _wants_pods(name: str, services: Services) -> bool:
    """Return whether a service that serves nothing may yet do. An autoscaler may have taken all of its replicas."""
    replicas, known = services.desired[name].replicas, services.known.get(name)
    if replicas is None and known is not None and known.state is State.HEALTHY:
        replicas = known.replicas.desired
    return replicas != 0


def _root(name: str, services: Services, now: datetime) -> Root:
    """Return the root of a failed service: itself, or what its own failure follows from."""
    known = services.known[name]
    root = services.known.get(known.root or "", known)
    if root.state is not State.FAILED:
        root = known
    # An earlier release did not note when a service has failed.
    failed_at = timestamps.unless_ahead(root.failed_at, now) or timestamps.unless_ahead(root.since, now) or now
    rule = BY_ID.get(root.rule or "")
    is_permanent = rule is not None and rule.speed is Speed.PERMANENT
    since = failed_at if is_permanent else failed_at + AFTER_ROOT
    return Root(root.name, root.message or root.reason or "", failed_at, since)
