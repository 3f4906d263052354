"""The Job of a run in a rollout."""

from mill_api.owner import Owner
from mill_objects import fields
from mill_objects.json import Json, JsonView


def job_of(owner: Owner, run: str, cron_job: JsonView) -> Json:
    """Return the Job of a run of a task, as its CronJob describes runs.

    The MillDeployment owns it, and not the CronJob: a run in progress outlives its task.
    """
    template = fields.mapping(cron_job, "spec", "jobTemplate")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run,
            "namespace": owner.key.namespace,
            "labels": dict(fields.mapping(template, "metadata", "labels")),
            "ownerReferences": [owner.reference(controller=True)],
        },
        "spec": dict(fields.mapping(template, "spec")),
    }


def is_of(owner: Owner, job: JsonView) -> bool:
    """Return whether a Job belongs to a MillDeployment, so that a run of that name has been created before."""
    references = fields.mappings(fields.mapping(job, "metadata"), "ownerReferences")
    return any(fields.text(each, "uid") == owner.uid for each in references)
