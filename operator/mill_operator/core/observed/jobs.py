"""Projection of a Job, which is one run of a task."""

from dataclasses import dataclass
from datetime import datetime

from mill_api import names
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key
from mill_operator.core.observed.foreign_text import cluster_text, name

ENDS_WELL = ("Complete", "SuccessCriteriaMet")
ENDS_BADLY = ("Failed", "FailureTarget")
"""Conditions of a Job. The second of each appears earlier, while the pod is still ending."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a Job has failed: a pod that ended with an error, or its deadline."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class ObservedJob:
    """A Job, which is one run."""

    key: Key
    uid: str
    resource_version: str
    deployment: str
    task: str
    owners: frozenset[str]
    """Uids: of the task's CronJob, or of the MillDeployment itself where that no longer has the task."""
    created: datetime
    terminating: bool
    image: str
    memory: str
    secrets: tuple[str, ...]
    pull: str
    """The pull secret that the task names."""
    has_read_only_root: bool
    deadline: int
    """Seconds; 0: none."""
    succeeded: bool
    failure: Failure | None
    finished_at: datetime | None
    """When its last container had ended."""

    @property
    def is_active(self) -> bool:
        """Whether a program of it may run, or may still be started."""
        return self.finished_at is None and self.failure is None and not self.succeeded and not self.terminating


def project_job(body: JsonView) -> ObservedJob:
    """Return what is kept of a Job. Raises `Unreadable`."""
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    labels = fields.texts(meta, "labels")
    task = labels.get(names.LABEL_TASK, "")
    pod = fields.mapping(spec, "template", "spec")
    containers = fields.mappings(pod, "containers")
    # One container is ours; others were injected.
    container = next((each for each in containers if fields.text(each, "name") == task), [*containers, {}][0])
    conditions = {
        kind: each for kind, each in fields.conditions(status).items() if fields.text(each, "status") == "True"
    }
    bad = next((conditions[kind] for kind in ENDS_BADLY if kind in conditions), None)
    finished = conditions.get("Complete") or conditions.get("Failed") or {}
    return ObservedJob(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        task=task,
        owners=frozenset(fields.text(each, "uid") for each in fields.mappings(meta, "ownerReferences")) - {""},
        created=fields.created(body),
        terminating=fields.deleted(body),
        image=fields.text(container, "image"),
        memory=fields.quantity(fields.mapping(container, "resources", "limits"), "memory"),
        secrets=_secrets(container, pod),
        pull=next((fields.text(each, "name") for each in fields.mappings(pod, "imagePullSecrets")), ""),
        has_read_only_root=fields.flag(fields.mapping(container, "securityContext"), "readOnlyRootFilesystem"),
        deadline=max(0, fields.number(spec, "activeDeadlineSeconds")),
        succeeded=any(kind in conditions for kind in ENDS_WELL),
        failure=_failure(bad),
        finished_at=fields.time(finished, "lastTransitionTime"),
    )


def _failure(condition: JsonView | None) -> Failure | None:
    """Return why a run has failed, from its condition."""
    if condition is None:
        return None
    return Failure(name(fields.text(condition, "reason")), cluster_text(fields.text(condition, "message")))


def _secrets(container: JsonView, pod: JsonView) -> tuple[str, ...]:
    refs = (fields.mapping(each, "valueFrom", "secretKeyRef") for each in fields.mappings(container, "env"))
    keys = [fields.text(ref, "key") for ref in refs if fields.text(ref, "name") == names.SECRET_NAME]
    volumes = (fields.mapping(each, "secret") for each in fields.mappings(pod, "volumes"))
    mounted = (each for each in volumes if fields.text(each, "secretName") == names.SECRET_NAME)
    keys += (fields.text(item, "key") for each in mounted for item in fields.mappings(each, "items"))
    return tuple(filter(None, dict.fromkeys(keys)))
