"""Projection of a pod: enough for a verdict, small enough for ten thousand of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from mill_api import names
from mill_api.constraints import MAX_LABELS
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key
from mill_operator.core import timestamps
from mill_operator.core.observed.containers import ObservedContainer, containers
from mill_operator.core.observed.foreign_text import cluster_text, name
from mill_operator.core.observed.requests import project_requests
from mill_operator.core.observed.text_cache import TextCache
from mill_operator.core.timestamps import CLOCKS_DIFFER

_NO_REQUESTS: Final[Mapping[str, float]] = {}
_NO_LABELS: Final[Mapping[str, str]] = {}
_ENDED: Final = ("Failed", "Succeeded")


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """A pod of a service or a run, with the one container that the operator has put into it."""

    key: Key
    uid: str
    resource_version: str
    deployment: str
    service: str
    template: str
    created: datetime
    terminating: bool
    phase: str
    reason: str
    """Why the whole pod failed: Evicted, Preempting, NodeShutdown…"""
    node: str | None
    bound_at: datetime | None
    unschedulable: str | None
    """The scheduler's message, while it finds no node."""
    ready: bool
    ready_at: datetime | None
    unready_since: datetime | None
    """When it lost readiness, or was created."""
    container: ObservedContainer
    """Ours; another one where a rule looks at an injected container."""
    message: str = ""
    """The message that belongs to `reason`."""
    sandbox_ready: bool = False
    """Whether volumes are mounted and the network is set up, so that containers can start."""
    status_updated_at: datetime | None = None
    """When the kubelet wrote the status last, by the API server's clock: what it reports is not later."""
    gate: str = ""
    """The readiness gate that the pod waits for though its containers are ready, as the kubelet reports it."""
    claims: tuple[str, ...] = ()
    """Names of the claims that it mounts."""
    other_volumes: tuple[str, ...] = ()
    """Names of its volumes that are of no claim."""
    scheduler_error: str = ""
    """The scheduler's message after an error of its own, such as a volume that it could not bind."""
    gated: str = ""
    """The message of a pod that scheduling gates hold back."""
    scheduling_gates: tuple[str, ...] = ()
    injected: tuple[ObservedContainer, ...] = ()
    """Injected containers that are not ready."""
    task: str = ""
    job: str = ""
    """Name of the run that a task's pod is for; both are empty for a service's pod."""
    requests: Mapping[str, float] = field(default_factory=dict)
    """What it requests by resource, as `LargestNode` has it; only while it is unschedulable."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    """Labels that its node must have; only while it is unschedulable."""
    stop_seconds: int = 0
    """Seconds from the request to end it to its kill, as its spec has them."""
    stops_at: datetime | None = None
    """When its containers are killed at the latest, if it is being deleted."""
    eviction_message: str = ""
    """Why the cluster ends it, as it reports; empty if the pod ends by itself or is deleted by a client."""

    @property
    def first_started(self) -> datetime | None:
        """When the container started first, as far as the pod still knows.

        A start that never was stands as 1970, and a start before the pod is no evidence.
        """
        ours = self.container
        starts = [end.started_at for end in (ours.ended, ours.last_ended) if end is not None]
        known = [moment for moment in starts if moment is not None and moment >= self.created]
        return min([*known, ours.running_since] if ours.running_since else known, default=None)


def project_pod(body: JsonView, *, logs: bool = True, cache: TextCache | None = None) -> ObservedPod:
    """Return what is kept of a pod. Without `logs`, nothing that a program has written. Raises `Unreadable`.

    `cache` remembers the texts of its containers; it is the caller's to forget the pod when it is gone.
    """
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    labels = fields.texts(meta, "labels")
    service, task = labels.get(names.LABEL_SERVICE, ""), labels.get(names.LABEL_TASK, "")
    conditions = fields.conditions(status)
    scheduled, ready, sandbox, disruption = (
        conditions.get(kind, {}) for kind in ("PodScheduled", "Ready", "PodReadyToStartContainers", "DisruptionTarget")
    )
    is_scheduled, is_ready = (fields.text(each, "status") for each in (scheduled, ready))
    texts = (TextCache() if cache is None else cache).reading(known.uid)
    ours, injected = containers(service or task, spec, status, texts, logs=logs)
    volumes = fields.mappings(spec, "volumes")
    claims = (fields.mapping(each, "persistentVolumeClaim") for each in volumes)
    others = (fields.text(each, "name") for each in volumes if not fields.mapping(each, "persistentVolumeClaim"))
    placing = {fields.text(scheduled, "reason"): fields.text(scheduled, "message")} if is_scheduled != "True" else {}
    return ObservedPod(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        service=service,
        template=labels.get(names.LABEL_TEMPLATE, ""),
        created=fields.created(body),
        terminating=fields.deleted(body),
        stops_at=fields.time(meta, "deletionTimestamp"),
        phase=fields.text(status, "phase") or "Pending",
        reason=name(fields.text(status, "reason")),
        node=fields.text(spec, "nodeName") or None,
        bound_at=fields.time(scheduled, "lastTransitionTime") if is_scheduled == "True" else None,
        unschedulable=cluster_text(placing["Unschedulable"]) if "Unschedulable" in placing else None,
        ready=is_ready == "True",
        ready_at=fields.time(ready, "lastTransitionTime") if is_ready == "True" else None,
        unready_since=fields.time(ready, "lastTransitionTime") if is_ready == "False" else None,
        container=ours,
        message=cluster_text(fields.text(status, "message")),
        sandbox_ready=fields.text(sandbox, "status") == "True",
        status_updated_at=_status_written_at(meta),
        gate=cluster_text(fields.text(ready, "message"))
        if fields.text(ready, "reason") == "ReadinessGatesNotReady"
        else "",
        claims=tuple(filter(None, (fields.text(each, "claimName") for each in claims))),
        other_volumes=tuple(filter(None, others)),
        scheduler_error=cluster_text(placing.get("SchedulerError", "")),
        gated=cluster_text(placing.get("SchedulingGated", "")),
        scheduling_gates=tuple(name(fields.text(each, "name")) for each in fields.mappings(spec, "schedulingGates")),
        injected=injected,
        task=task,
        job=labels.get(names.LABEL_JOB, ""),
        requests=project_requests(spec) if "Unschedulable" in placing else _NO_REQUESTS,
        node_selector=_node_selector(spec) if "Unschedulable" in placing else _NO_LABELS,
        stop_seconds=max(0, fields.number(spec, "terminationGracePeriodSeconds")),
        eviction_message=cluster_text(fields.text(status if fields.text(status, "reason") else disruption, "message")),
    )


def _node_selector(spec: JsonView) -> Mapping[str, str]:
    found = list(fields.texts(spec, "nodeSelector").items())[: MAX_LABELS + 1]
    return {name(key): name(value) for key, value in found}


def pods_of_template(pods: Iterable[ObservedPod], template: str) -> list[ObservedPod]:
    """Return the pods that are judged: of that template, not terminating, and not ended by their node.

    A node ends a pod for reasons of its own: eviction, preemption, shutdown. That is no fault of the service.
    """
    return [pod for pod in pods if pod.template == template and not pod.terminating and pod.phase not in _ENDED]


def serving_pods(pods: Iterable[ObservedPod]) -> list[ObservedPod]:
    """Return the pods, of all versions, to which a Service sends requests."""
    return [pod for pod in pods if pod.ready and not pod.terminating and pod.phase not in _ENDED]


def serving_since(serving: Iterable[ObservedPod], known: str | None, now: datetime) -> datetime:
    """Return since when one of some serving pods has been ready, by the API server's clock as far as it is known.

    `known` is the time that the status has.
    """
    before = timestamps.unless_ahead(known, now)
    return before or min((_ready_since(pod, now) for pod in serving), default=now)


def _ready_since(pod: ObservedPod, now: datetime) -> datetime:
    """Return since when a pod has been ready. Its node's clock may be wrong; its creation has the API server's time."""
    if pod.ready_at is None or pod.status_updated_at is None:
        return min(now, pod.ready_at or now)
    return min(pod.status_updated_at, pod.ready_at + CLOCKS_DIFFER)


def pods_with_image(pods: Sequence[ObservedPod], image: str) -> list[ObservedPod]:
    """Return the pods that can be blamed on the template: those with its image.

    Others come from an edited Deployment, which the operator corrects; unless all are others, because something
    rewrites the images of all pods.
    """
    return [pod for pod in pods if pod.container.image == image] or list(pods)


def _status_written_at(meta: JsonView) -> datetime | None:
    writes = fields.mappings(meta, "managedFields")
    kubelet = (
        each
        for each in writes
        if fields.text(each, "manager") == "kubelet" and fields.text(each, "subresource") == "status"
    )
    return max((moment for each in kubelet if (moment := fields.time(each, "time"))), default=None)
