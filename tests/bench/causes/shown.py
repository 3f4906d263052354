"""Which objects show a cause first, where that is not a container's state."""

from tests.bench.causes.cause import Json, Shows


def event(*reasons: str) -> Shows:
    """Return whether an object is an Event of one of these reasons."""
    return lambda body: body["kind"] == "Event" and body.get("reason") in reasons


def either(*shows: Shows) -> Shows:
    """Return whether one of several holds."""
    return lambda body: any(each(body) for each in shows)


def pods_refused(body: Json) -> bool:
    """Whether a Deployment's pods cannot be created, or the Event that says so."""
    if body["kind"] == "Event":
        return body.get("reason") == "FailedCreate"
    return body["kind"] == "Deployment" and _has_condition(body, "ReplicaFailure", "True")


def unschedulable(body: Json) -> bool:
    """Whether the scheduler has found no node for a pod."""
    return body["kind"] == "Pod" and _has_condition(body, "PodScheduled", "False")


def evicted(body: Json) -> bool:
    """Whether the kubelet has evicted a pod."""
    return body["kind"] == "Pod" and bool(body.get("status", {}).get("reason") == "Evicted")


def job_failed(body: Json) -> bool:
    """Whether a run's Job is failing or has failed."""
    failed = _has_condition(body, "Failed", "True") or _has_condition(body, "FailureTarget", "True")
    return body["kind"] == "Job" and failed


def _has_condition(body: Json, kind: str, status: str) -> bool:
    conditions = body.get("status", {}).get("conditions", ())
    return any((each["type"], each["status"]) == (kind, status) for each in conditions)
