"""Rollouts of a MillDeployment, as `mill history` shows them."""

from datetime import datetime
from typing import Any

from mill_api.status import PastRollout, Rollout
from mill_api.status_reading import read_status


def rollouts(detail: Any) -> list[dict[str, Any]]:
    """Return the rollouts of a MillDeployment, newest first, from what `/v1/deployments/{name}` answers.

    The status in it is as the resource has it, which another release may have written: what is odd is left out.
    """
    status = read_status(detail.get("status"))
    failed = [{"service": each.name, "reason": each.message} for each in status.services if each.state == "Failed"]
    current = status.rollout
    found = [_told(current, failed if current.success is False else [])] if current else []
    return found + [_told(each, [one.model_dump(exclude_none=True) for one in each.failed]) for each in status.history]


def _told(rollout: Rollout | PastRollout, failed: list[dict[str, Any]]) -> dict[str, Any]:
    started, finished = rollout.started_at, rollout.finished_at
    took = (
        None if not finished else (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    )
    told = {"id": rollout.id, "started_at": started, "finished_at": finished, "success": rollout.success}
    return told | {"seconds": took, "failed": failed, "result": _result(rollout, failed)}


def _result(rollout: Rollout | PastRollout, failed: list[dict[str, Any]]) -> str:
    if not rollout.finished_at:
        return "goes on"
    if rollout.success:
        return "good"
    if getattr(rollout, "superseded", False):
        return "superseded by a newer one"
    causes = [f"{each['service']}: {each['reason']}" if each.get("service") else str(each["reason"]) for each in failed]
    whole = getattr(rollout, "error", None) or getattr(rollout, "refused", None)
    return "failed: " + "; ".join([whole] if whole else causes or ["unknown"])
