"""A run of a task: a Job."""

from dataclasses import dataclass
from typing import Any

from mill_api import names
from mill_api.key import Key
from mill_gateway.core.amounts import Amounts, requested


@dataclass(frozen=True, slots=True)
class Job:
    """A run of a task."""

    key: Key
    uid: str
    resource_version: str
    deployment: str
    task: str
    amounts: Amounts
    created_at: str
    started_at: str | None
    finished_at: str | None
    outcome: str | None
    """`Complete` or `Failed`, as its condition has it; None while it goes on."""
    leaving: bool


def job(body: dict[str, Any]) -> Job:
    """Take what we need from a Job."""
    meta, spec, status = body["metadata"], body["spec"], body.get("status", {})
    labels = meta.get("labels") or {}
    ends = [
        each
        for each in status.get("conditions") or ()
        if each["type"] in ("Complete", "Failed") and each["status"] == "True"
    ]
    return Job(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        task=labels.get(names.LABEL_TASK, ""),
        amounts=requested(spec["template"]["spec"]),
        created_at=meta["creationTimestamp"],
        started_at=status.get("startTime"),
        finished_at=status.get("completionTime") or (ends[0].get("lastTransitionTime") if ends else None),
        outcome=ends[0]["type"] if ends else None,
        leaving="deletionTimestamp" in meta,
    )
