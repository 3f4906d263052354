"""`mill history`: the rollouts of a MillDeployment, newest first."""

from datetime import datetime
from typing import Any

from mill_api.status import PastRollout, Rollout
from mill_api.status_reading import read_status
from mill_cli.connection.client import Gateway, path
from mill_cli.listing import show_all
from mill_cli.options import Options
from mill_cli.output.columns import ROLLOUTS


def show_history(options: Options) -> None:
    """Print the rollouts. Raise `CliError`."""
    with Gateway(options) as gateway:
        detail = gateway.get(path("deployments", options.deployment), **options.where)
    show_all(options, read_rollouts(detail), ROLLOUTS)


def read_rollouts(detail: Any) -> list[dict[str, Any]]:
    """Return the rollouts, newest first, from the answer of `/v1/deployments/{name}`.

    The status in it may come from another release: entries that cannot be read are left out.
    """
    status = read_status(detail.get("status"))
    failed = [{"service": each.name, "reason": each.message} for each in status.services if each.state == "Failed"]
    current = status.rollout
    found = [_rollout(current, failed if current.success is False else [])] if current else []
    return found + [
        _rollout(each, [one.model_dump(exclude_none=True) for one in each.failed]) for each in status.history
    ]


def _rollout(rollout: Rollout | PastRollout, failed: list[dict[str, Any]]) -> dict[str, Any]:
    started, finished = rollout.started_at, rollout.finished_at
    took = (
        None if not finished else (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    )
    return {
        "id": rollout.id,
        "started_at": started,
        "finished_at": finished,
        "success": rollout.success,
        "seconds": took,
        "failed": failed,
        "result": _result(rollout, failed),
    }


def _result(rollout: Rollout | PastRollout, failed: list[dict[str, Any]]) -> str:
    if not rollout.finished_at:
        return "in progress"
    if rollout.success:
        return "succeeded"
    if getattr(rollout, "superseded", False):
        return "superseded by a newer rollout"
    causes = [f"{each['service']}: {each['reason']}" if each.get("service") else str(each["reason"]) for each in failed]
    whole = getattr(rollout, "error", None) or getattr(rollout, "refused", None)
    return "failed: " + "; ".join([whole] if whole else causes or ["unknown"])
