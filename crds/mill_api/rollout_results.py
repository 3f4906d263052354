"""The results of rollouts, as history shows them: how each ended, why, and what has failed since.

A result comes from what the rollout recorded: its transitions up to its last one, and its regressions. The present
state of the services does not change it, so a cause stays when the service has recovered.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from pydantic import BaseModel, Field

from mill_api.rollouts import FailedService, PastRollout, PutBack, Regression, Rollout
from mill_api.service_status import Phase, ServiceStatus
from mill_api.status import MillDeploymentStatus
from mill_api.status_words import UNJUDGED_SEQ

PUT_BACK_SHOWN: Final = 2
"""How many changes that were put back a result names."""
_NO_CAUSE = "no cause was recorded"


class RolloutResult(BaseModel):
    """A rollout and its result."""

    id: str = Field(description="Generation, followed by the request if one was made.", examples=["4"])
    started_at: str = Field(description="Time at which the rollout started.")
    finished_at: str | None = Field(description="Time at which it finished; null while it is in progress.")
    success: bool | None = Field(description="Whether every service settled; null while it is in progress.")
    seconds: float | None = Field(description="Seconds from its start to its end; null while it is in progress.")
    failed: list[FailedService] = Field(description="Failures of the rollout.")
    regressed: list[Regression] = Field(description="Failures after the rollout had finished.")
    put_back: list[PutBack] = Field(
        description="Changes of child objects by other field managers, which the operator has put back; newest last."
    )
    result: str = Field(description="The result for people.", examples=["succeeded"])


def rollout_results(status: MillDeploymentStatus) -> list[RolloutResult]:
    """Return the results of the rollouts that a status has, newest first."""
    current = current_result(status)
    found = [] if current is None else [current]
    return found + [_result(past, past.failed, superseded=past.superseded) for past in status.history]


def current_result(status: MillDeploymentStatus) -> RolloutResult | None:
    """Return the result of the current rollout; None if the operator has started none."""
    current = status.rollout
    return None if current is None else _result(current, failures(current, status.services))


def failures(rollout: Rollout, services: Iterable[ServiceStatus]) -> list[FailedService]:
    """Return what failed in the current rollout, in order. Later transitions are those of regressions."""
    failed = [
        FailedService(seq=step.seq, service=service.name, reason=step.message or step.code or "")
        for service in services
        for step in service.transitions
        if step.phase is Phase.FAILED and (rollout.last_seq is None or step.seq <= rollout.last_seq)
    ]
    if rollout.refused is not None:
        failed.append(FailedService(seq=1, reason=rollout.refused))
    if (cause := rollout.error or rollout.task_failure) is not None:
        failed.append(FailedService(seq=UNJUDGED_SEQ, reason=cause))
    return sorted(failed, key=lambda each: each.seq)


def regression_text(rollout: Rollout | PastRollout | RolloutResult, regression: Regression) -> str:
    """Return a regression for people: `web failed after 14 s: container exited with code 1`."""
    after = _duration(_seconds(rollout.finished_at or regression.at, regression.at))
    return f"{regression.service} failed after {after}: {regression.reason or regression.code or _NO_CAUSE}"


def put_back_text(put_back: PutBack) -> str:
    """Return a change that was put back, for people: `Deployment web: replicas 5 → 2, by kubectl-scale`."""
    by = f", by {put_back.by}" if put_back.by else ""
    return f"{put_back.kind} {put_back.name}: {put_back.change}{by}"


def _result(rollout: Rollout | PastRollout, failed: list[FailedService], *, superseded: bool = False) -> RolloutResult:
    finished = rollout.finished_at
    return RolloutResult(
        id=rollout.id,
        started_at=rollout.started_at,
        finished_at=finished,
        success=rollout.success,
        seconds=None if finished is None else _seconds(rollout.started_at, finished),
        failed=failed,
        regressed=rollout.regressed,
        put_back=rollout.put_back,
        result="".join(_texts(rollout, failed, superseded=superseded)),
    )


def _texts(rollout: Rollout | PastRollout, failed: list[FailedService], *, superseded: bool) -> Iterator[str]:
    if rollout.finished_at is None:
        yield "in progress"
    elif superseded:
        yield "superseded by a newer rollout"
    elif rollout.success:
        yield "succeeded"
    else:
        # The cause that ended the whole rollout is the only one that counts.
        causes = [each for each in failed if each.service is None] or failed
        yield "failed: " + ("; ".join(map(_cause, causes)) or _NO_CAUSE)
    for at, regression in enumerate(rollout.regressed):
        yield ", then " if at == 0 and rollout.success else "; then "
        yield regression_text(rollout, regression)
    for at, put_back in enumerate(reversed(rollout.put_back[-PUT_BACK_SHOWN:])):
        yield "; put back: " if at == 0 else "; "
        yield put_back_text(put_back) + (f" ({put_back.count} times)" if put_back.count > 1 else "")
    if (others := len(rollout.put_back) - PUT_BACK_SHOWN) > 0:
        yield f"; and {others} more"


def _cause(failed: FailedService) -> str:
    reason = failed.reason or _NO_CAUSE
    return f"{failed.service}: {reason}" if failed.service else reason


def _seconds(start: str, end: str) -> float:
    """Return the seconds between two times; 0 if the clock of another operator was behind."""
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def _duration(seconds: float) -> str:
    """Return a duration in its largest unit: `14 s`, `5 min`, `3 h`, `2 days`."""
    if seconds < 60:
        return f"{round(seconds)} s"
    if seconds < 3600:
        return f"{int(seconds / 60)} min"
    return f"{int(seconds / 3600)} h" if seconds < 48 * 3600 else f"{int(seconds / 86400)} days"
