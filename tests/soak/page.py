"""docs/verdicts.md: a section for each part of the soak, replaced when the part is run again."""

import re
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hack.cluster import Cluster
from hack.commands import run

PAGE: Final = Path(__file__).parents[2] / "docs" / "verdicts.md"
NOTHING: Final = "-"
"""The cell of what was not measured, or does not exist."""
_WIDTH: Final = 120


@dataclass(frozen=True)
class Section:
    """The results of one part."""

    heading: str
    """Of the second level; it identifies the section in the page."""
    explanation: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    measured: str
    """How, when and with what the part was run."""

    def __str__(self) -> str:
        lines = [_row(self.header), _row("---" for _ in self.header), *map(_row, self.rows)]
        explanation = textwrap.fill(self.explanation, _WIDTH, break_long_words=False, break_on_hyphens=False)
        return f"## {self.heading}\n\n{explanation}\n\n" + "\n".join(lines) + f"\n\n{self.measured}\n"


def with_section(page: str, section: Section) -> str:
    """Return a page in which a section replaces the one with the same heading; a new one comes last."""
    introduction, *sections = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    found = {each.partition("\n")[0]: each.strip() for each in sections}
    found[f"## {section.heading}"] = str(section).strip()
    return "\n\n".join([introduction.strip(), *found.values()]) + "\n"


def rows_of(page: str, heading: str) -> dict[str, list[str]]:
    """Return the rows of a section's table by their first cells; nothing if there is no such section."""
    lines = (line.strip("|").split(" | ") for line in _lines_of(page, heading) if line.startswith("|"))
    rows = [[cell.strip() for cell in line] for line in lines][2:]
    return {row[0]: row for row in rows}


def measured_before(page: str, heading: str) -> str:
    """Return how a section was measured; nothing if there is no such section."""
    return next((line for line in reversed(_lines_of(page, heading)) if line.startswith("Measured ")), "")


def _lines_of(page: str, heading: str) -> list[str]:
    _, _, rest = page.partition(f"## {heading}\n")
    return rest.partition("\n## ")[0].splitlines()


def measured_with(cluster: Cluster, module: str, argv: Sequence[str]) -> str:
    """Return the line below a table: when, and with what."""
    path = "{.items[0].status.nodeInfo.kubeletVersion} {.items[0].status.nodeInfo.containerRuntimeVersion}"
    kubernetes, runtime = run(*cluster.kubectl_command("get", "nodes", "-o", f"jsonpath={path}")).split()
    command = shlex.join(["python", "-m", module, *argv])
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with Kubernetes {kubernetes} and "
        f"{runtime.replace('://', ' ')}: `{command}`."
    )


def of(part: int, whole: int) -> str:
    """Return a count: `0 of 10`; a dash if nothing was measured."""
    return f"{part} of {whole}" if whole else NOTHING


def quoted(text: str) -> str:
    """Return the cell of a line that a program printed; a dash if there is none."""
    text = text.strip()
    return f"`{text.replace('|', '¦').replace('`', chr(39))}`" if text else NOTHING


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
