"""A pod of a service or of a task's run."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from mill_api import names
from mill_api.key import Key
from mill_gateway.core.amounts import Amounts, requested

JOB_LABEL = "batch.kubernetes.io/job-name"
NEVER = ("1970-", "0001-")


class Program(NamedTuple):
    """A service, or a task: what a pod runs."""

    namespace: str
    kind: Literal["service", "task"]
    name: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of ours."""

    key: Key
    uid: str
    resource_version: str
    deployment: str
    """Name of its MillDeployment."""
    program: Program
    run: str | None
    """Name of the Job, if it is a run of a task."""
    template: str | None
    """Hash of the template that a service's pod was made from."""
    node: str | None
    phase: str
    """Pending, Running, Succeeded or Failed; Unknown where the node does not answer."""
    ready: bool
    leaving: bool
    """Whether it is being deleted."""
    created_at: str
    started_at: str | None
    """When its container started last; None if it never did, though it may have ended."""
    address: str | None
    """Its IP address."""
    port: int | None
    amounts: Amounts
    container: str
    """Name of the container that runs the program."""
    restarts: int
    waiting: str | None
    """Why the container waits, if it does: `ContainerCreating`, `ImagePullBackOff`."""
    image_present: bool
    """Whether the image is on the node."""
    exit_code: int | None
    """What the program returned, if the container has ended."""
    unschedulable: str | None
    """Why no node takes it, in the scheduler's words."""
    claims: tuple[str, ...]
    """PersistentVolumeClaims that it mounts."""

    @property
    def running(self) -> bool:
        """Whether its container runs."""
        return self.started_at is not None and self.exit_code is None and self.waiting is None

    @property
    def over(self) -> bool:
        """Whether it has ended for good, and takes nothing any more."""
        return self.phase in ("Succeeded", "Failed")


def pod(body: dict[str, Any]) -> Pod:
    """Take what we need from a pod."""
    meta, spec, status = body["metadata"], body["spec"], body.get("status", {})
    labels = meta.get("labels") or {}
    container = spec["containers"][0]
    for each in spec["containers"]:
        if each["name"] in (labels.get(names.LABEL_SERVICE), labels.get(names.LABEL_TASK)):
            container = each
    statuses = status.get("containerStatuses") or ()
    seen: dict[str, Any] = next((each for each in statuses if each["name"] == container["name"]), {})
    state = seen.get("state") or {}
    ports = container.get("ports") or ()
    return Pod(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        program=_program(meta["namespace"], labels),
        run=labels.get(JOB_LABEL),
        template=labels.get(names.LABEL_TEMPLATE),
        node=spec.get("nodeName"),
        phase=status.get("phase", "Pending"),
        ready=any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ()),
        leaving="deletionTimestamp" in meta,
        created_at=meta["creationTimestamp"],
        started_at=_started(state),
        address=status.get("podIP"),
        port=ports[0]["containerPort"] if ports else None,
        amounts=requested(spec),
        container=container["name"],
        restarts=seen.get("restartCount", 0),
        waiting=(state.get("waiting") or {}).get("reason"),
        image_present=bool(seen.get("imageID")),
        exit_code=(state.get("terminated") or {}).get("exitCode"),
        unschedulable=next(
            (
                each.get("message", "")
                for each in status.get("conditions") or ()
                if each["type"] == "PodScheduled" and each.get("reason") == "Unschedulable"
            ),
            None,
        ),
        claims=tuple(
            each["persistentVolumeClaim"]["claimName"]
            for each in spec.get("volumes") or ()
            if "persistentVolumeClaim" in each
        ),
    )


def _started(state: dict[str, Any]) -> str | None:
    """Return when a container started: a start that never was (no such command) stands as 1970.

    Not compared with the pod's creation: that is the API server's clock, and the node's may be behind.
    """
    started: str | None = (state.get("running") or state.get("terminated") or {}).get("startedAt")
    return None if started is None or started.startswith(NEVER) else started


def _program(namespace: str, labels: dict[str, str]) -> Program:
    if names.LABEL_SERVICE in labels:
        return Program(namespace, "service", labels[names.LABEL_SERVICE])
    return Program(namespace, "task", labels.get(names.LABEL_TASK, ""))
