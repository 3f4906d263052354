"""What a recording wants: the desired services of each group of objects, from a spec or from the objects themselves.

A spec may have been rendered by another release or with other settings. So the template that counts is the one that
was recorded, never one that is rendered here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from mill_api import names
from mill_api.status import MillDeploymentStatus
from mill_api.status_reading import read_status
from mill_objects import fields
from mill_objects.json import Json, JsonView
from mill_objects.key import Key
from mill_operator.core.digest import digest
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.rendering import DesiredState, ParsedSpec, Part
from mill_operator.core.objects.service import DesiredService, ServiceRequest
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.events import LONG_AGO
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.packed import NOTHING, Packed
from mill_operator.core.reconcile.goal import Goal
from mill_operator.recordings.world import Group

START: Final = timedelta(seconds=30)
"""How long a container may take to start, unless its probes say more."""
LONGEST_START: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one group wants, and what there is of it."""

    goal: Goal
    snapshot: Snapshot
    recorded: MillDeploymentStatus
    """The status that was recorded; empty without one."""
    began: datetime | None
    """When its rollout began, as far as the objects have it."""


def wanted(key: Key, group: Group, spec: Json | None = None) -> Wanted:
    """Return what a group wants. `spec`, which must be valid, replaces the recorded one."""
    recorded = group.resource
    resource = recorded or _resource(key, group)
    if spec is not None:
        resource = replace(resource, packed_spec=Packed.of(spec))
    status = read_status(resource.status)
    desired = DesiredState(tuple(_inferred(group)))
    if recorded is not None or spec is not None:
        rendered = ParsedSpec(resource.owner, resource.spec, dict(resource.restarts)).desired()
        desired = rendered.with_templates(_templates(group, status, resource))
    snapshot = Snapshot.of(resource, group.pods, group.children, ())
    if recorded is None:
        snapshot = Snapshot(tuple(group.pods), tuple(group.children))
    missing = _missing_deployments(snapshot, desired)
    snapshot = replace(snapshot, children=(*snapshot.children, *missing))
    applied = {each.service: each.applied for each in snapshot.children if each.kind == "Deployment"}
    children = tuple(
        ChildObject("Deployment", Key(key.namespace, each.name), each.name, applied.get(each.name, "missing"))
        for each in desired.services
    )
    taken_back = [each.name for each in status.services if each.failed_template is not None]
    return Wanted(Goal(resource, desired, children, taken_back), snapshot, status, _began(resource, group, status))


def _templates(group: Group, status: MillDeploymentStatus, resource: ObservedMillDeployment) -> dict[str, str]:
    """Return the template that each service wants, as it was recorded."""
    templates = dict(group.templates)
    if status.observed_generation == resource.generation:
        templates |= {each.name: each.template for each in status.services if each.template}
    return templates


def _began(resource: ObservedMillDeployment, group: Group, status: MillDeploymentStatus) -> datetime | None:
    if status.rollout is not None and status.rollout.id == resource.rollout_id:
        return fields.moment(status.rollout.started_at)
    created = [pod.created for pod in group.pods if pod.template == group.templates.get(pod.service)]
    return min(created, default=None)


def _resource(key: Key, group: Group) -> ObservedMillDeployment:
    """Return a MillDeployment in place of one that was not recorded. Another template of a service is a new rollout."""
    owners = (each.owner_uid for each in group.children if each.owner.startswith(f"{names.KIND} "))
    created = [*(pod.created for pod in group.pods), *(child.created for child in group.children)]
    return ObservedMillDeployment(
        key=key,
        uid=next(owners, "recorded"),
        resource_version="0",
        generation=1,
        created=min(created, default=LONG_AGO),
        rollout_id=digest(sorted(group.templates.items())),
        restarts=frozenset(),
        terminating=False,
        paused=False,
        packed_spec=NOTHING,
        packed_status=NOTHING,
    )


def _inferred(group: Group) -> Iterator[Part]:
    """Yield the services of a group without a spec."""
    for name in dict.fromkeys((*group.templates, *group.containers)):
        container = group.containers.get(name, {})
        service = DesiredService(
            name=name,
            template=group.templates.get(name, ""),
            replicas=None,
            probed=bool(fields.mapping(container, "readinessProbe")) or "readinessProbe" in container,
            request=_request(container),
        )
        yield Part(name, b"", 0, (), service)


def _request(container: JsonView) -> ServiceRequest:
    keys = (fields.mapping(each, "valueFrom", "secretKeyRef") for each in fields.mappings(container, "env"))
    secrets = (_secret(each) for each in keys if each)
    return ServiceRequest(
        image=fields.text(container, "image"),
        memory=fields.quantity(fields.mapping(container, "resources", "limits"), "memory"),
        secrets=tuple(filter(None, secrets))[:1],
        budget=_budget(container),
        least_live_time=_least_live_time(container),
    )


def _secret(reference: JsonView) -> str:
    """Return the name that people know a secret by: Mill's is the key in its Secret."""
    name = fields.text(reference, "name")
    return fields.text(reference, "key") if name == names.SECRET_NAME else name


def _budget(container: JsonView) -> timedelta:
    probes = (fields.mapping(container, name) for name in ("readinessProbe", "startupProbe"))
    seconds = [_probe_seconds(probe) for probe in probes if probe]
    return min(LONGEST_START, max(START, timedelta(seconds=min(max(seconds, default=0), 10**6))))


def _least_live_time(container: JsonView) -> timedelta | None:
    probe = fields.mapping(container, "livenessProbe")
    if not probe:
        return None
    period, threshold = fields.number(probe, "periodSeconds") or 10, fields.number(probe, "failureThreshold") or 3
    return timedelta(seconds=min(max(period * (threshold - 1), 0), 10**6))


def _probe_seconds(probe: JsonView) -> int:
    """Return after how many seconds a probe gives up. Mill's own startup probe has no say: the judge ends a start."""
    delay, period = fields.number(probe, "initialDelaySeconds"), fields.number(probe, "periodSeconds", 10)
    failures = fields.number(probe, "failureThreshold", 3)
    return delay + period if failures >= 600 else delay + period * failures


def _missing_deployments(snapshot: Snapshot, desired: DesiredState) -> Iterator[ObservedChild]:
    """Yield a Deployment for each service that has pods and none: of as many replicas as there are pods."""
    recorded = {each.service for each in snapshot.children if each.kind == "Deployment"}
    pods_of: dict[str, list[ObservedPod]] = {}
    for pod in snapshot.pods:
        pods_of.setdefault(pod.service, []).append(pod)
    for service in desired.services:
        pods = pods_of.get(service.name, [])
        if not pods or service.name in recorded:
            continue
        first = pods[0]
        yield ObservedChild(
            kind="Deployment",
            key=Key(first.key.namespace, service.name),
            uid=f"Deployment/{first.key.namespace}/{service.name}",
            resource_version="0",
            deployment=first.deployment,
            service=service.name,
            created=min(pod.created for pod in pods),
            owner_uid="",
            owner="",
            applied="",
            revision="",
            terminating=False,
            replicas=max(1, sum(_counts(pod, service) for pod in pods)),
            available=0,
            refusal="",
        )


def _counts(pod: ObservedPod, service: DesiredService) -> bool:
    is_live = not pod.terminating and pod.phase not in ("Failed", "Succeeded")
    return is_live and (pod.service, pod.template) == (service.name, service.template)
