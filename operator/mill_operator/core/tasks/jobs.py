"""What we keep of a Job, which is one run of a task."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mill_api import names
from mill_api.key import Key
from mill_operator.core import clock

ENDS_WELL = ("Complete", "SuccessCriteriaMet")
ENDS_BADLY = ("Failed", "FailureTarget")
"""A Job's conditions. The second of each says the same earlier, while its pod is still ending."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a Job says that it has failed: a pod that ended badly, or its deadline."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A Job, as far as its run is judged by it."""

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
    deadline: int
    """Seconds; 0: none."""
    succeeded: bool
    failure: Failure | None
    finished_at: datetime | None
    """When nothing of it ran any more."""


def job_facts(body: dict[str, Any]) -> JobFacts:
    """Take what we need from a Job."""
    meta, spec, status = body["metadata"], body["spec"], body.get("status", {})
    labels = meta.get("labels", {})
    task = labels.get(names.LABEL_TASK, "")
    containers: list[dict[str, Any]] = spec["template"]["spec"]["containers"]
    # One container is ours; others were injected.
    container = next((each for each in containers if each["name"] == task), containers[0])
    said = {each["type"]: each for each in status.get("conditions", ()) if each["status"] == "True"}
    bad = next((said[name] for name in ENDS_BADLY if name in said), None)
    finished = said.get("Complete") or said.get("Failed")
    return JobFacts(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        task=task,
        owners=frozenset(each["uid"] for each in meta.get("ownerReferences", ())),
        created=clock.parse(meta["creationTimestamp"]),
        terminating="deletionTimestamp" in meta,
        image=container["image"],
        memory=container.get("resources", {}).get("limits", {}).get("memory", ""),
        secrets=_secrets(container),
        deadline=spec.get("activeDeadlineSeconds", 0),
        succeeded=any(name in said for name in ENDS_WELL),
        failure=Failure(bad.get("reason", ""), bad.get("message", "")) if bad else None,
        finished_at=clock.parse(finished["lastTransitionTime"]) if finished else None,
    )


def _secrets(container: dict[str, Any]) -> tuple[str, ...]:
    refs = (each.get("valueFrom", {}).get("secretKeyRef", {}) for each in container.get("env", ()))
    return tuple(dict.fromkeys(ref["key"] for ref in refs if ref.get("name") == names.SECRET_NAME))
