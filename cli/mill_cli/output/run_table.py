"""The table of `mill ps`: as many of its columns as a terminal has room for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.ages import age
from mill_cli.output.numbers import cpu, size
from mill_cli.output.tables import table
from mill_cli.output.text import one_line
from mill_cli.runs import has_ended, word

ENDED_SHOWN: Final = 20
"""Runs that have ended and are shown without `--all`."""

Run = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Column:
    header: str
    cell: Callable[[Run], str]
    leaves: int = 0
    """When it is left out for want of room: 1 first; 0 never."""


def newest_first(runs: Sequence[Run]) -> list[Run]:
    """Return the runs in progress, then those that have ended, the newest of each first."""
    by_time = sorted(runs, key=lambda run: str(run.get("created_at") or ""), reverse=True)
    return sorted(by_time, key=has_ended)


def run_table(runs: Sequence[Run], now: float | None, width: int | None, *, namespaces: bool = False) -> str:
    """Return the lines. `now` is the gateway's time in seconds since 1970, `width` that of a terminal.

    `namespaces`: they are of several namespaces.
    """
    columns = [
        _Column("ID", lambda run: str(run["id"])),
        _Column("NAME", lambda run: str(run["name"]), leaves=4),
        _Column("NODE", lambda run: str(run["node"]), leaves=3),
        _Column("STATUS", word),
        _Column("CPU", lambda run: cpu(run["cpu"]) if run["memory"] else "", leaves=1),
        _Column("MEM", lambda run: size(run["memory"]) if run["memory"] else "", leaves=2),
        _Column("EXIT", lambda run: "" if run.get("exit_code") is None else str(run["exit_code"])),
        _Column("AGE", lambda run: age(run.get("created_at"), now)),
        _Column("REASON", lambda run: str(run.get("reason") or "")),
    ]
    if len({run.get("deployment") for run in runs}) > 1:
        columns.insert(1, _Column("DEPLOYMENT", lambda run: str(run.get("deployment") or "")))
    if namespaces:
        columns.insert(0, _Column("NAMESPACE", lambda run: str(run.get("namespace") or "")))
    for leaving in range(1, 5):
        if width is None or _natural_width(columns, runs) <= width:
            break
        columns = [each for each in columns if each.leaves != leaving]
    return table([each.header for each in columns], [[each.cell(run) for each in columns] for run in runs], width)


def _natural_width(columns: Sequence[_Column], runs: Sequence[Run]) -> int:
    return sum(2 + max(map(len, (each.header, *(one_line(each.cell(run)) for run in runs)))) for each in columns)
