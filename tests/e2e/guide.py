"""What docs/gitops.md says: its blocks, and its table of conditions. Tests hold it to that."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_GUIDE = Path(__file__).parents[2] / "docs" / "gitops.md"


def block(language: str, containing: str) -> str:
    """Return the one block of the guide that has this in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", _GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    (found,) = [each for each in blocks if containing in each]
    return str(found)


def says(text: str) -> bool:
    """Return whether the guide has these words, wherever its lines break."""
    return text in " ".join(_GUIDE.read_text().split())


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of conditions."""

    moment: str
    ready: str
    reconciling: str
    stalled: str
    kstatus: str
    argo: str

    def fits(self, conditions: dict[str, dict[str, Any]]) -> bool:
        """Return whether it is about a resource with these conditions."""
        ready = conditions.get("Ready")
        if ready is None:
            return not self.ready and not conditions
        value, _, reason = self.ready.partition(", ")
        # "such as" is one reason of many, which are all but those that have a line of their own.
        known = ready["reason"] not in _reasons() if "such as" in reason else reason == f"`{ready['reason']}`"
        others = {"Reconciling": self.reconciling, "Stalled": self.stalled}
        return (
            known
            and ready["status"] == value
            and {kind for kind, cell in others.items() if cell} == conditions.keys() - {"Ready"}
            and all(_same(ready, conditions[kind]) for kind, cell in others.items() if cell)
        )


def row_of(shown: dict[str, Any]) -> Row:
    """Return the line that an object falls under: what was said of another generation is said of nothing here."""
    status = shown.get("status") or {}
    seen = status.get("observedGeneration") == shown["metadata"]["generation"]
    conditions = {each["type"]: each for each in status.get("conditions", ()) if seen}
    found = [row for row in table() if row.fits(conditions)]
    assert len(found) == 1, f"in the guide's table: {found}; in the cluster: {shown}"
    return found[0]


@cache
def table() -> tuple[Row, ...]:
    """Return the table of conditions."""
    return tuple(_rows())


def _rows() -> Iterator[Row]:
    lines = iter(_GUIDE.read_text().splitlines())
    next(line for line in lines if line.startswith("| | `Ready` |"))
    next(lines)  # the line below the heads
    for line in lines:
        if not line.startswith("|"):
            return
        yield Row(*(cell.strip() for cell in line.strip("|").split("|")))


@cache
def _reasons() -> frozenset[str]:
    return frozenset(re.findall(r"`(\w+)`", " ".join(row.ready for row in table() if "such as" not in row.ready)))


def _same(ready: dict[str, Any], other: dict[str, Any]) -> bool:
    is_whole = ready["message"] == other["message"]
    return other["status"] == "True" and other["reason"] == ready["reason"] and (is_whole or _is_long(other["message"]))


def _is_long(message: str) -> bool:
    """Whether the message of Ready names less than this one: it is short, whatever fails."""
    return len(message) > 100
