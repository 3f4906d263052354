"""What we keep of the objects that we watch: enough to judge, small enough for ten thousand of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mill_api import names
from mill_api.key import Key
from mill_operator.core import clock
from mill_operator.core.digest import digest
from mill_operator.core.verdicts.containers import ContainerFacts, Ended, containers
from mill_operator.core.verdicts.redact import redact
from mill_operator.core.verdicts.words import head

LABEL_JOB = "batch.kubernetes.io/job-name"
"""The label by which a Job's pods name it."""


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What a pod tells about itself, and about the one container of ours that it has."""

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
    """The scheduler's words, while it finds no node."""
    ready: bool
    ready_at: datetime | None
    unready_since: datetime | None
    """When it was ready last, or since when it exists."""
    image_present: bool
    waiting_reason: str
    waiting_message: str
    running_since: datetime | None
    ended: Ended | None
    """The container's end, if it is ended right now."""
    last_ended: Ended | None
    """The end before the current start."""
    restarts: int
    image: str = ""
    """Of our container."""
    message: str = ""
    """The same as `reason` in words."""
    container_ready: bool = False
    """Whether our container is ready: the pod is when all of them are, and nobody else objects."""
    sandbox_ready: bool = False
    """Whether volumes are mounted and the network is there, so that containers can begin."""
    told_at: datetime | None = None
    """When the kubelet wrote last, by the API server's clock: what it tells of cannot be later."""
    gate: str = ""
    """What the pod waits for though its containers are ready: somebody's readiness gate, in the kubelet's words."""
    claims: tuple[str, ...] = ()
    """Names of the claims that it mounts."""
    others: tuple[ContainerFacts, ...] = ()
    """Containers that somebody injected, and that are not ready."""
    task: str = ""
    job: str = ""
    """Name of the run that a task's pod is for; both are empty for a service's pod."""
    pushed_out: str = ""
    """Why the cluster ends it, in its words; empty if it ends of itself, or by somebody's hand."""

    @property
    def crashes(self) -> int:
        """How often the container has ended so far."""
        stopped = self.ended is not None or self.waiting_reason == "CrashLoopBackOff"
        return self.restarts + (1 if stopped else 0)

    @property
    def latest_end(self) -> Ended | None:
        """How the container ended last."""
        return self.ended or self.last_ended

    @property
    def first_started(self) -> datetime | None:
        """When the container started first, as far as the pod still knows.

        A start that never was stands as 1970, and a start before the pod is no evidence.
        """
        starts = [end.started_at for end in (self.ended, self.last_ended) if end is not None]
        known = [moment for moment in starts if moment is not None and moment >= self.created]
        return min([*known, self.running_since] if self.running_since else known, default=None)


@dataclass(frozen=True, slots=True)
class ChildFacts:
    """A Deployment, Service or other child, as far as the plan needs it."""

    kind: str
    key: Key
    uid: str
    resource_version: str
    deployment: str
    service: str
    created: datetime
    owner_uid: str
    """Uid of the controller; empty if it has none."""
    owner: str
    """Kind and name of the controller."""
    applied: str
    """Hash of what we applied last, from its annotation."""
    revision: str
    """Changes when anybody changes the spec: the generation, or a hash of the spec where there is none."""
    terminating: bool
    replicas: int | None
    refusal: str
    """Why pods cannot be made (a Deployment's ReplicaFailure): quota, admission."""
    phase: str = ""
    """`Bound`, `Pending` or `Lost`, of a claim."""
    storage_class: str | None = None
    """A claim's; None: nobody has named one, and there is no default."""


def pod_facts(body: dict[str, Any], *, logs: bool = True) -> PodFacts:
    """Take what we need from a pod. Without `logs`, nothing that a program has written."""
    meta, spec, status = body["metadata"], body.get("spec", {}), body.get("status", {})
    labels = meta.get("labels", {})
    service, task = labels.get(names.LABEL_SERVICE, ""), labels.get(names.LABEL_TASK, "")
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    scheduled, ready = conditions.get("PodScheduled", {}), conditions.get("Ready", {})
    ours, others = containers(service or task, spec, status, logs=logs)
    disruption = conditions.get("DisruptionTarget", {})
    return PodFacts(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        service=service,
        template=labels.get(names.LABEL_TEMPLATE, ""),
        created=clock.parse(meta["creationTimestamp"]),
        terminating="deletionTimestamp" in meta,
        phase=status.get("phase", "Pending"),
        reason=status.get("reason", ""),
        node=spec.get("nodeName"),
        bound_at=_time(scheduled.get("lastTransitionTime")) if scheduled.get("status") == "True" else None,
        unschedulable=scheduled.get("message", "") if scheduled.get("reason") == "Unschedulable" else None,
        ready=ready.get("status") == "True",
        ready_at=_time(ready.get("lastTransitionTime")) if ready.get("status") == "True" else None,
        unready_since=_time(ready.get("lastTransitionTime")) if ready.get("status") == "False" else None,
        image_present=ours.image_present,
        waiting_reason=ours.waiting_reason,
        waiting_message=ours.waiting_message,
        running_since=ours.running_since,
        ended=ours.ended,
        last_ended=ours.last_ended,
        restarts=ours.restarts,
        image=ours.image,
        message=head(status.get("message", "")),
        container_ready=ours.ready,
        sandbox_ready=conditions.get("PodReadyToStartContainers", {}).get("status") == "True",
        told_at=_told_at(meta),
        gate=head(ready.get("message", "")) if ready.get("reason") == "ReadinessGatesNotReady" else "",
        claims=tuple(
            each["persistentVolumeClaim"]["claimName"]
            for each in spec.get("volumes", ())
            if "persistentVolumeClaim" in each
        ),
        others=others,
        task=task,
        job=labels.get(LABEL_JOB, ""),
        pushed_out=head((status if status.get("reason") else disruption).get("message", "")),
    )


def child_facts(kind: str, body: dict[str, Any]) -> ChildFacts:
    """Take what we need from a child that is not a pod. The kind is given, since lists leave it out."""
    meta, status = body["metadata"], body.get("status", {})
    owner: dict[str, Any] = next((each for each in meta.get("ownerReferences", ()) if each.get("controller")), {})
    failure: dict[str, Any] = next(
        (
            each
            for each in status.get("conditions", ())
            if each["type"] == "ReplicaFailure"
            and each["status"] == "True"
            and status.get("observedGeneration") == meta.get("generation")  # otherwise it is about an older spec
        ),
        {},
    )
    return ChildFacts(
        kind=kind,
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        deployment=meta.get("labels", {}).get(names.LABEL_DEPLOYMENT, ""),
        service=meta.get("labels", {}).get(names.LABEL_SERVICE, ""),
        created=clock.parse(meta["creationTimestamp"]),
        owner_uid=owner.get("uid", ""),
        owner=f"{owner['kind']} {owner['name']}" if owner else "",
        applied=meta.get("annotations", {}).get(names.ANNOTATION_APPLIED, ""),
        revision=str(meta["generation"]) if "generation" in meta else digest(body.get("spec", {})),
        terminating="deletionTimestamp" in meta,
        replicas=body.get("spec", {}).get("replicas"),
        refusal=head(redact(failure.get("message", ""))),
        phase=status.get("phase", ""),
        storage_class=body.get("spec", {}).get("storageClassName"),
    )


def of_template(pods: Iterable[PodFacts], template: str) -> list[PodFacts]:
    """Return the pods that are judged: of that template, not on their way out, and not ended by their node.

    A node ends a pod for reasons of its own: eviction, preemption, shutdown. That is nobody's fault.
    """
    over = ("Failed", "Succeeded")
    return [pod for pod in pods if pod.template == template and not pod.terminating and pod.phase not in over]


def as_wanted(pods: Sequence[PodFacts], image: str) -> list[PodFacts]:
    """Return the pods that can be blamed on the template: those with its image.

    Others are of somebody who has edited the Deployment, which is put right; unless all are others, because something
    rewrites the images of all pods.
    """
    return [pod for pod in pods if pod.image == image] or list(pods)


def _told_at(meta: dict[str, Any]) -> datetime | None:
    times = (
        each.get("time")
        for each in meta.get("managedFields", ())
        if each.get("manager") == "kubelet" and each.get("subresource") == "status"
    )
    return max((clock.parse(time) for time in times if time), default=None)


def _time(text: str | None) -> datetime | None:
    return clock.parse(text) if text else None
