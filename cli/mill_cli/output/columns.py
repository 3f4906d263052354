"""Columns of the tables: a header, and the cells of each object of the gateway's lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.numbers import cpu, seconds, size, used
from mill_cli.output.tables import table


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one kind of table."""

    header: tuple[str, ...]
    cells: Callable[[Any], Sequence[str]]

    def show(self, things: Sequence[Any], width: int | None = None) -> str:
        """Return the lines of the table, wrapped to a width if there is one."""
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
    """Return the cells of a service: those of the pods that serve if an update does not replace them yet."""
    replicas = service["replicas"]
    if service.get("update"):
        images = ", ".join(map(str, service["serving_images"]))
        return service["name"], f"{replicas['serving']}/{replicas['desired']}", images
    return service["name"], f"{replicas['healthy']}/{replicas['desired']}", service["image"]


def _updated_service(service: Any) -> Sequence[str]:
    return *_service(service), str(service.get("update") or "")


def service_columns(services: Sequence[Any]) -> Columns:
    """Return the columns of services: one more if older versions serve while some are updated."""
    if any(each.get("update") for each in services):
        return Columns((*SERVICES.header, "UPDATE"), _updated_service)
    return SERVICES


def _volume(volume: Any) -> Sequence[str]:
    return volume["name"], volume["state"], volume["node"] or "--", volume["cloud_id"]


def _rollout(rollout: Any) -> Sequence[str]:
    took = "" if rollout["seconds"] is None else seconds(rollout["seconds"])
    return rollout["id"], rollout["started_at"], took, rollout["result"]


NODES: Final = Columns(("NAME", "STATUS", "CPU", "MEM", "ALLOCS"), _node)
TASKS: Final = Columns(("ID", "NAME", "NODE", "STATUS", "CPU", "MEM"), _task)
SERVICES: Final = Columns(("NAME", "REPLICAS", "IMAGE"), _service)
SECRETS: Final = Columns(("NAME",), lambda secret: (secret["name"],))
VOLUMES: Final = Columns(("NAME", "STATE", "NODE", "CLOUD ID"), _volume)
ROLLOUTS: Final = Columns(("ROLLOUT", "STARTED", "TOOK", "RESULT"), _rollout)
