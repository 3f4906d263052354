"""What we keep of the objects that we watch: enough to judge, small enough for ten thousand of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mill_api import names
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key
from mill_operator.core.digest import digest
from mill_operator.core.observed.containers import ContainerFacts, Ended, containers
from mill_operator.core.observed.foreign_text import cluster_words, name, others_words
from mill_operator.core.observed.text_cache import TextCache

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


def pod_facts(body: JsonView, *, logs: bool = True, cache: TextCache | None = None) -> PodFacts:
    """Take what we need from a pod. Without `logs`, nothing that a program has written. Raises `Unreadable`.

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
    ours, others = containers(service or task, spec, status, texts, logs=logs)
    claims = (fields.mapping(each, "persistentVolumeClaim") for each in fields.mappings(spec, "volumes"))
    return PodFacts(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        service=service,
        template=labels.get(names.LABEL_TEMPLATE, ""),
        created=fields.created(body),
        terminating=fields.deleted(body),
        phase=fields.text(status, "phase") or "Pending",
        reason=name(fields.text(status, "reason")),
        node=fields.text(spec, "nodeName") or None,
        bound_at=fields.time(scheduled, "lastTransitionTime") if is_scheduled == "True" else None,
        unschedulable=cluster_words(fields.text(scheduled, "message"))
        if fields.text(scheduled, "reason") == "Unschedulable"
        else None,
        ready=is_ready == "True",
        ready_at=fields.time(ready, "lastTransitionTime") if is_ready == "True" else None,
        unready_since=fields.time(ready, "lastTransitionTime") if is_ready == "False" else None,
        image_present=ours.image_present,
        waiting_reason=ours.waiting_reason,
        waiting_message=ours.waiting_message,
        running_since=ours.running_since,
        ended=ours.ended,
        last_ended=ours.last_ended,
        restarts=ours.restarts,
        image=ours.image,
        message=cluster_words(fields.text(status, "message")),
        container_ready=ours.ready,
        sandbox_ready=fields.text(sandbox, "status") == "True",
        told_at=_told_at(meta),
        gate=cluster_words(fields.text(ready, "message"))
        if fields.text(ready, "reason") == "ReadinessGatesNotReady"
        else "",
        claims=tuple(filter(None, (fields.text(each, "claimName") for each in claims))),
        others=others,
        task=task,
        job=labels.get(LABEL_JOB, ""),
        pushed_out=cluster_words(fields.text(status if fields.text(status, "reason") else disruption, "message")),
    )


def child_facts(kind: str, body: JsonView) -> ChildFacts:
    """Take what we need from a child that is not a pod. The kind is given, since lists leave it out.

    Raises `Unreadable`.
    """
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    labels, generation = fields.texts(meta, "labels"), fields.optional_number(meta, "generation")
    owner = next((each for each in fields.mappings(meta, "ownerReferences") if fields.flag(each, "controller")), {})
    failure = fields.conditions(status).get("ReplicaFailure", {})
    # Otherwise it is about an older spec, or over.
    counts = fields.text(failure, "status") == "True" and generation == fields.optional_number(
        status, "observedGeneration"
    )
    return ChildFacts(
        kind=kind,
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        service=labels.get(names.LABEL_SERVICE, ""),
        created=fields.created(body),
        owner_uid=fields.text(owner, "uid"),
        owner=name(f"{fields.text(owner, 'kind')} {fields.text(owner, 'name')}") if owner else "",
        applied=fields.texts(meta, "annotations").get(names.ANNOTATION_APPLIED, ""),
        revision=str(generation) if generation is not None else digest(spec),
        terminating=fields.deleted(body),
        replicas=fields.optional_number(spec, "replicas"),
        refusal=others_words(fields.text(failure, "message")) if counts else "",
        phase=fields.text(status, "phase"),
        storage_class=fields.optional_text(spec, "storageClassName"),
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


def _told_at(meta: JsonView) -> datetime | None:
    writes = fields.mappings(meta, "managedFields")
    kubelet = (
        each
        for each in writes
        if fields.text(each, "manager") == "kubelet" and fields.text(each, "subresource") == "status"
    )
    return max((moment for each in kubelet if (moment := fields.time(each, "time"))), default=None)
