"""What the gateway lists, as tables: a row of headers and, for each thing, a row of cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from mill_cli.output.numbers import cpu, seconds, size, used
from mill_cli.output.tables import table

if TYPE_CHECKING:
    from mill_api.status import PastRollout, Rollout


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
    """Return the rollouts of a MillDeployment, newest first, from what `/v1/deployments/{name}` answers.

    The status in it is as the resource has it, which another release may have written: what is odd is left out.
    """
    from mill_api.status_reading import read_status  # takes a while, and other tables need none of it

    status = read_status(detail.get("status"))
    failed = [{"service": each.name, "reason": each.message} for each in status.services if each.state == "Failed"]
    current = status.rollout
    found = [_told(current, failed if current.success is False else [])] if current else []
    return found + [_told(each, [one.model_dump(exclude_none=True) for one in each.failed]) for each in status.history]


def _told(rollout: "Rollout | PastRollout", failed: list[dict[str, Any]]) -> dict[str, Any]:
    started, finished = rollout.started_at, rollout.finished_at
    took = (
        None if not finished else (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    )
    told = {"id": rollout.id, "started_at": started, "finished_at": finished, "success": rollout.success}
    return told | {"seconds": took, "failed": failed, "result": _result(rollout, failed)}


def _result(rollout: "Rollout | PastRollout", failed: list[dict[str, Any]]) -> str:
    if not rollout.finished_at:
        return "goes on"
    if rollout.success:
        return "good"
    if getattr(rollout, "superseded", False):
        return "superseded by a newer one"
    causes = [f"{each['service']}: {each['reason']}" if each.get("service") else str(each["reason"]) for each in failed]
    whole = getattr(rollout, "error", None) or getattr(rollout, "refused", None)
    return "failed: " + "; ".join([whole] if whole else causes or ["unknown"])
