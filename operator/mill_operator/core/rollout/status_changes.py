"""What a status tells that the one before did not: for logs, metrics and everybody else who reports a change once."""

from collections.abc import Iterator

from mill_api.status import MillDeploymentStatus, Transition


def rollout_started(before: MillDeploymentStatus, after: MillDeploymentStatus) -> bool:
    """Tell whether another rollout is the current one. One that was refused may begin anew under the same id."""
    if after.rollout is None:
        return False
    old = before.rollout
    return old is None or (old.id, old.refused) != (after.rollout.id, after.rollout.refused)


def new_transitions(before: MillDeploymentStatus, after: MillDeploymentStatus) -> Iterator[tuple[str, Transition]]:
    """Yield what has happened to services, each with the service's name."""
    seen = (
        {}
        if rollout_started(before, after)
        else {service.name: len(service.transitions) for service in before.services}
    )
    for service in after.services:
        for step in service.transitions[seen.get(service.name, 0) :]:
            yield service.name, step


def ended_rollouts(before: MillDeploymentStatus, after: MillDeploymentStatus) -> list[str]:
    """Return how rollouts have ended since, each in a word: `succeeded`, `failed`, `refused` or `superseded`."""
    known = _results(before)
    return [result for rollout, result in _results(after).items() if rollout not in known]


def _results(status: MillDeploymentStatus) -> dict[tuple[str, str], str]:
    """Return the results of all rollouts that are over, by id and end."""
    results = {
        (past.id, past.finished_at): "superseded" if past.superseded else "succeeded" if past.success else "failed"
        for past in reversed(status.history)
    }
    if (rollout := status.rollout) is not None and rollout.finished_at is not None:
        result = "refused" if rollout.refused else "succeeded" if rollout.success else "failed"
        results[rollout.id, rollout.finished_at] = result
    return results
