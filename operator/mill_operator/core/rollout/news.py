"""What a status tells that the one before did not: for logs, metrics and everybody else who reports a change once."""

from collections.abc import Iterator

from mill_api.status import MillDeploymentStatus, Transition


def begun(before: MillDeploymentStatus, after: MillDeploymentStatus) -> bool:
    """Tell whether another rollout is the current one."""
    return after.rollout is not None and (before.rollout is None or before.rollout.id != after.rollout.id)


def steps(before: MillDeploymentStatus, after: MillDeploymentStatus) -> Iterator[tuple[str, Transition]]:
    """Yield what has happened to services, each with the service's name."""
    seen = {} if begun(before, after) else {service.name: len(service.transitions) for service in before.services}
    for service in after.services:
        for step in service.transitions[seen.get(service.name, 0) :]:
            yield service.name, step


def ended(before: MillDeploymentStatus, after: MillDeploymentStatus) -> dict[str, str]:
    """Return the rollouts that have ended, by id: `succeeded`, `failed`, `refused` or `superseded`."""
    known = _results(before)
    return {rollout_id: result for rollout_id, result in _results(after).items() if rollout_id not in known}


def _results(status: MillDeploymentStatus) -> dict[str, str]:
    results = {
        past.id: "superseded" if past.superseded else "succeeded" if past.success else "failed"
        for past in status.history
    }
    if (rollout := status.rollout) is not None and rollout.finished_at is not None:
        results[rollout.id] = "refused" if rollout.refused else "succeeded" if rollout.success else "failed"
    return results
