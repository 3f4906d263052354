"""A pod of a service or of a task's run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from mill_api import names
from mill_gateway.objects.amounts import Amounts, requested
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key
from mill_objects.kubelet import PULL_PROBLEMS, START_PROBLEMS, has_image
from mill_objects.printable import one_line

NEVER: Final = "1970-"
MESSAGE_LIMIT: Final = 2048
"""Bytes of the scheduler's message."""
REASON_LIMIT: Final = 253


class Program(NamedTuple):
    """A service, or a task: what a pod runs."""

    namespace: str
    kind: Literal["service", "task"]
    name: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of a service or a run."""

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
    terminating: bool
    """Whether it is being deleted."""
    created_at: str
    started_at: str | None
    """When its container started last; None if it never started, though it may have ended."""
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
    """Exit code of the program, if the container has ended."""
    unschedulable: str | None
    """The scheduler's message if no node can take the pod."""
    claims: tuple[str, ...]
    """PersistentVolumeClaims that it mounts."""

    @property
    def running(self) -> bool:
        """Whether its container runs."""
        return self.started_at is not None and self.exit_code is None and self.waiting is None

    @property
    def waits_after_failure(self) -> bool:
        """Whether its container waits because it could not start, has ended, or has no image.

        That is the kubelet's reason alone: whether the service has failed is the operator's verdict.
        """
        return self.waiting in PULL_PROBLEMS or self.waiting in START_PROBLEMS

    @property
    def over(self) -> bool:
        """Whether it has ended, and occupies its node no longer."""
        return self.phase in ("Succeeded", "Failed")


def project_pod(body: JsonView) -> Pod:
    """Return the projection of a pod. Raises `Unreadable`."""
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    labels = fields.texts(meta, "labels")
    program = _program(known.key.namespace, labels)
    containers = fields.mappings(spec, "containers")
    container: JsonView = next(
        (each for each in containers if fields.text(each, "name") == program.name), [*containers, {}][0]
    )
    name = fields.text(container, "name")
    observed: JsonView = next(
        (each for each in fields.mappings(status, "containerStatuses") if fields.text(each, "name") == name), {}
    )
    state = fields.mapping(observed, "state")
    conditions = fields.conditions(status)
    scheduled = conditions.get("PodScheduled", {})
    claims = (fields.mapping(each, "persistentVolumeClaim") for each in fields.mappings(spec, "volumes"))
    return Pod(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        program=program,
        run=labels.get(names.LABEL_JOB),
        template=labels.get(names.LABEL_TEMPLATE),
        node=fields.text(spec, "nodeName") or None,
        phase=fields.text(status, "phase") or "Pending",
        ready=fields.text(conditions.get("Ready"), "status") == "True",
        terminating=fields.deleted(body),
        created_at=fields.created_at(body),
        started_at=_started(state),
        address=fields.text(status, "podIP") or None,
        port=next(
            (fields.optional_number(each, "containerPort") for each in fields.mappings(container, "ports")), None
        ),
        amounts=requested(spec),
        container=name,
        restarts=max(0, fields.number(observed, "restartCount")),
        waiting=_waiting(state),
        image_present=has_image(observed),
        exit_code=fields.optional_number(fields.mapping(state, "terminated"), "exitCode"),
        unschedulable=one_line(fields.text(scheduled, "message"), MESSAGE_LIMIT)
        if fields.text(scheduled, "reason") == "Unschedulable"
        else None,
        claims=tuple(filter(None, (fields.text(each, "claimName") for each in claims))),
    )


def _waiting(state: JsonView) -> str | None:
    reason = fields.optional_text(fields.mapping(state, "waiting"), "reason")
    return None if reason is None else one_line(reason, REASON_LIMIT)


def _started(state: JsonView) -> str | None:
    """Return when a container started. One that could not start (no such command) has a time of 1970.

    The time is not compared with the pod's creation, which is by the API server's clock: the node's may be behind.
    """
    started = fields.time_text(fields.mapping(state, "running") or fields.mapping(state, "terminated"), "startedAt")
    return None if started is None or started.startswith(NEVER) else started


def _program(namespace: str, labels: Mapping[str, str]) -> Program:
    if names.LABEL_SERVICE in labels:
        return Program(namespace, "service", labels[names.LABEL_SERVICE])
    return Program(namespace, "task", labels.get(names.LABEL_TASK, ""))
