"""What we keep of the objects that we watch: enough to judge, small enough for ten thousand of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mill_api import names
from mill_api.key import Key
from mill_operator.core import clock
from mill_operator.core.digest import digest
from mill_operator.core.redact import redact, redact_urls

CREATING = frozenset({"ContainerCreating", "PodInitializing"})
PULL_PROBLEMS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
"""What a container can wait for, in the kubelet's words, before its image is there."""

MESSAGE_LIMIT = 2048
"""Characters kept of a message: a kubelet's log tail can have 4096, and evidence is bounded anyway."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended."""

    exit_code: int
    reason: str
    message: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What a pod tells about itself. Our pods have one container of ours; injected ones are not judged."""

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


def pod_facts(body: dict[str, Any]) -> PodFacts:
    """Take what we need from a pod."""
    meta, spec, status = body["metadata"], body.get("spec", {}), body.get("status", {})
    labels = meta.get("labels", {})
    service = labels.get(names.LABEL_SERVICE, "")
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    scheduled, ready = conditions.get("PodScheduled", {}), conditions.get("Ready", {})
    container: dict[str, Any] = next(
        (each for each in status.get("containerStatuses", ()) if each["name"] == service), {}
    )
    state = container.get("state", {})
    waiting, running, ended = (state.get(name) for name in ("waiting", "running", "terminated"))
    last = container.get("lastState", {}).get("terminated")
    # A container that waits for something else than its creation or its image has got past both.
    past_pull = waiting is not None and waiting.get("reason", "") not in {"", *CREATING, *PULL_PROBLEMS}
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
        image_present=bool(running or ended or last or past_pull or container.get("imageID")),
        waiting_reason=waiting.get("reason", "") if waiting else "",
        waiting_message=redact_urls(waiting.get("message", ""))[:MESSAGE_LIMIT] if waiting else "",
        running_since=_time(running.get("startedAt")) if running else None,
        ended=_ended(ended),
        last_ended=_ended(last),
        restarts=container.get("restartCount", 0),
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
        refusal=failure.get("message", "")[:MESSAGE_LIMIT],
    )


def _ended(state: dict[str, Any] | None) -> Ended | None:
    if state is None:
        return None
    return Ended(
        exit_code=state.get("exitCode", 0),
        reason=state.get("reason", ""),
        message=redact(state.get("message", ""))[-MESSAGE_LIMIT:],
        started_at=_time(state.get("startedAt")),
        finished_at=_time(state.get("finishedAt")),
    )


def _time(text: str | None) -> datetime | None:
    return clock.parse(text) if text else None
