"""A run of a task: a Job."""

from dataclasses import dataclass

from mill_api import names
from mill_gateway.objects.amounts import Amounts, requested
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key


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
    """`Complete` or `Failed`, by its condition; None while it is running."""
    terminating: bool
    is_of_task: bool = True
    """Whether it is of a deployed task, rather than of an image or of a file that need not be deployed."""


def project_job(body: JsonView) -> Job:
    """Return the projection of a Job. Raises `Unreadable`."""
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    labels = fields.texts(meta, "labels")
    ended = ((name, fields.conditions(status).get(name, {})) for name in ("Complete", "Failed"))
    ends = [(name, each) for name, each in ended if fields.text(each, "status") == "True"]
    outcome, end = ends[0] if ends else (None, {})
    return Job(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        task=labels.get(names.LABEL_TASK, ""),
        amounts=requested(fields.mapping(spec, "template", "spec")),
        created_at=fields.created_at(body),
        started_at=fields.time_text(status, "startTime"),
        finished_at=fields.time_text(status, "completionTime") or fields.time_text(end, "lastTransitionTime"),
        outcome=outcome,
        terminating=fields.deleted(body),
        is_of_task=not any(
            fields.flag(each, "controller") and fields.text(each, "kind") == names.KIND
            for each in fields.mappings(meta, "ownerReferences")
        ),
    )
