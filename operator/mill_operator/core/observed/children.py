"""Projection of child objects other than pods and Jobs."""

from dataclasses import dataclass
from datetime import datetime

from mill_api import names
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key
from mill_operator.core.digest import digest
from mill_operator.core.observed.foreign_text import name, untrusted_text
from mill_operator.core.observed.ingresses import ObservedIngress, project_ingress
from mill_operator.core.observed.outside import ObservedOutside, project_outside
from mill_operator.core.observed.schedules import ObservedSchedule, project_schedule


@dataclass(frozen=True, slots=True)
class ObservedChild:
    """A Deployment, Service or other child object."""

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
    """Changes with each change of the spec: the generation, or a hash of the spec where there is none."""
    terminating: bool
    replicas: int | None
    available: int
    """How many pods of all versions a Deployment calls available."""
    refusal: str
    """Why pods cannot be made (a Deployment's ReplicaFailure): quota, admission."""
    phase: str = ""
    """`Bound`, `Pending` or `Lost`, of a claim."""
    storage_class: str | None = None
    """A claim's; None: none is named, and there is no default."""
    task: str = ""
    """The task that a ConfigMap belongs to; empty for other kinds."""
    files: str = ""
    """Digest of a ConfigMap's contents."""
    ingress: ObservedIngress | None = None
    """The routes of an Ingress; None for other kinds."""
    outside: ObservedOutside | None = None
    """Where a Service of the type LoadBalancer is reached; None for all else."""
    schedule: ObservedSchedule | None = None
    """When a CronJob starts runs; None for all else."""


def project_child(kind: str, body: JsonView) -> ObservedChild:
    """Return what is kept of a child object that is not a pod. The kind is given, since lists leave it out.

    Raises `Unreadable`.
    """
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    labels, generation = fields.texts(meta, "labels"), fields.optional_number(meta, "generation")
    owner = next((each for each in fields.mappings(meta, "ownerReferences") if fields.flag(each, "controller")), {})
    failure = fields.conditions(status).get("ReplicaFailure", {})
    # Otherwise the condition is about an older spec, or is over.
    counts = fields.text(failure, "status") == "True" and generation == fields.optional_number(
        status, "observedGeneration"
    )
    return ObservedChild(
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
        available=fields.number(status, "availableReplicas"),
        refusal=untrusted_text(fields.text(failure, "message")) if counts else "",
        phase=fields.text(status, "phase"),
        storage_class=fields.optional_text(spec, "storageClassName"),
        task=labels.get(names.LABEL_TASK, ""),
        files=labels.get(names.LABEL_FILES, ""),
        ingress=project_ingress(spec) if kind == "Ingress" else None,
        outside=project_outside(spec, status) if kind == "Service" else None,
        schedule=project_schedule(spec, status) if kind == "CronJob" else None,
    )
