"""How soon a changed status is written: verdicts at once, progress soon, counts when it is convenient."""

from enum import StrEnum

from mill_api.status import MillDeploymentStatus


class Change(StrEnum):
    """How much a status differs from the one that is written."""

    NOTHING = "nothing"
    COUNTS = "counts"
    PROGRESS = "progress"
    VERDICT = "verdict"


def change(written: MillDeploymentStatus, status: MillDeploymentStatus) -> Change:
    """Compare a status with the one that is written."""
    if written == status:
        return Change.NOTHING
    if written.rollout != status.rollout or written.observed_generation != status.observed_generation:
        return Change.VERDICT
    if _run_verdicts(status) - _run_verdicts(written):
        return Change.VERDICT
    states = [(each.name, each.state, each.reason) for each in written.services]
    now = [(each.name, each.state, each.reason) for each in status.services]
    if states == now:
        same = all(
            old.transitions == new.transitions for old, new in zip(written.services, status.services, strict=True)
        )
        return Change.COUNTS if same and written.tasks == status.tasks else Change.PROGRESS
    verdicts = {each for each in states if each[1].settled} ^ {each for each in now if each[1].settled}
    return Change.VERDICT if verdicts else Change.PROGRESS


def _run_verdicts(status: MillDeploymentStatus) -> set[tuple[str, str, str, str | None]]:
    runs = (run for task in status.tasks for run in task.runs)
    return {(run.name, run.created_at, run.state, run.reason) for run in runs if run.state.settled}


def pause(kind: Change, write_seconds: float) -> float:
    """Return how many seconds must lie between the last write and this one.

    The pause grows with what a write costs: a status of 200 services takes the API server 70 ms.
    """
    if kind is Change.VERDICT:
        return 0.0
    return 1.0 if kind is Change.COUNTS else max(0.1, 5 * write_seconds)
