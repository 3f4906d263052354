"""What the gateway lists, as tables: a row of headers and, for each thing, a row of cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mill_cli.output.numbers import cpu, seconds, size, used
from mill_cli.output.tables import table


@dataclass(frozen=True, slots=True)
class View:
    """A kind of table."""

    header: tuple[str, ...]
    cells: Callable[[Any], Sequence[str]]

    def show(self, things: Sequence[Any], width: int | None = None) -> str:
        """Return the table's lines, wrapped to a width if there is one."""
        return table(self.header, [self.cells(each) for each in things], width)


def _node(node: Any) -> Sequence[str]:
    return (
        node["id"],
        node["status"],
        used(node["cpu_total"], node["cpu_available"], cpu),
        used(node["memory_total_bytes"], node["memory_available_bytes"], size),
        str(node["alloc_count"]),
    )


def _task(run: Any) -> Sequence[str]:
    return run["id"], run["name"], run["node"], run["status"], cpu(run["cpu"]), size(run["memory"])


def _service(service: Any) -> Sequence[str]:
    replicas = service["replicas"]
    return service["name"], f"{replicas['healthy']}/{replicas['desired']}", service["image"]


def _volume(volume: Any) -> Sequence[str]:
    return volume["name"], volume["state"], volume["node"] or "--", volume["cloud_id"]


def _rollout(rollout: Any) -> Sequence[str]:
    took = "" if rollout["seconds"] is None else seconds(rollout["seconds"])
    return rollout["id"], rollout["started_at"], took, rollout["result"]


NODES: Final = View(("NAME", "STATUS", "CPU", "MEM", "ALLOCS"), _node)
TASKS: Final = View(("ID", "NAME", "NODE", "STATUS", "CPU", "MEM"), _task)
SERVICES: Final = View(("NAME", "REPLICAS", "IMAGE"), _service)
SECRETS: Final = View(("NAME",), lambda secret: (secret["name"],))
VOLUMES: Final = View(("NAME", "STATE", "NODE", "CLOUD ID"), _volume)
ROLLOUTS: Final = View(("ROLLOUT", "STARTED", "TOOK", "RESULT"), _rollout)


def rollouts(detail: Any) -> list[dict[str, Any]]:
    """Return the rollouts of a MillDeployment, newest first, from what `/v1/deployments/{name}` answers."""
    status = detail.get("status") or {}
    current = status.get("rollout")
    failed = [
        {"service": each["name"], "reason": each.get("message")}
        for each in status.get("services") or ()
        if each.get("state") == "Failed"
    ]
    found = [_told(current, failed if current.get("success") is False else [])] if current else []
    return found + [_told(each, each.get("failed") or []) for each in status.get("history") or ()]


def _told(rollout: Any, failed: list[dict[str, Any]]) -> dict[str, Any]:
    started, finished = rollout.get("startedAt"), rollout.get("finishedAt")
    took = (
        None if not finished else (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    )
    told = {"id": rollout["id"], "started_at": started, "finished_at": finished, "success": rollout.get("success")}
    return told | {"seconds": took, "failed": failed, "result": _result(rollout, failed)}


def _result(rollout: Any, failed: list[dict[str, Any]]) -> str:
    if not rollout.get("finishedAt"):
        return "goes on"
    if rollout.get("success"):
        return "good"
    if rollout.get("superseded"):
        return "superseded by a newer one"
    causes = [f"{each['service']}: {each['reason']}" if each.get("service") else str(each["reason"]) for each in failed]
    return "failed: " + "; ".join(causes or [str(rollout.get("refused") or "unknown")])
