"""Columns of the tables: a header, and the cells of each object of the gateway's lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.ages import age
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


def _volume(volume: Any) -> Sequence[str]:
    return volume["name"], volume["state"], volume["node"] or "--", volume["cloud_id"]


def rollout_columns(now: float | None) -> Columns:
    """Return the columns of rollouts. `now` is the gateway's time in seconds since 1970."""

    def cells(rollout: Any) -> Sequence[str]:
        took = "" if rollout["seconds"] is None else seconds(rollout["seconds"])
        return rollout["id"], age(rollout["started_at"], now), took, rollout["result"]

    return Columns(("ROLLOUT", "AGE", "TOOK", "RESULT"), cells)


NODES: Final = Columns(("NAME", "STATUS", "CPU", "MEM", "ALLOCS"), _node)
REGISTRIES: Final = Columns(("HOST", "USER"), lambda registry: (registry["host"], registry["username"] or ""))
SECRETS: Final = Columns(("NAME",), lambda secret: (secret["name"],))
VOLUMES: Final = Columns(("NAME", "STATE", "NODE", "CLOUD ID"), _volume)
