"""What stays on a terminal of a rollout: a line for each service, failures by their causes, and a summary. Pure.

Failures come last, next to the summary, so that they are in sight when the command has ended.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.cells import Line, pad, width, wrap
from mill_cli.output.failures import Group, detail_lines, group_failures
from mill_cli.output.glyphs import Glyphs
from mill_cli.output.lines import Messages
from mill_cli.output.numbers import seconds
from mill_cli.output.rows import HEALTHY, Row, count
from mill_cli.output.task_lines import DONE

INDENT: Final = "    "
WIDEST_COLUMN: Final = 32
SHORTEST_TEXT: Final = 18
"""Columns beside a name: a verdict with its time fits, so that no line breaks after the name."""


TIMED: Final = ("healthy", "settling", "stopped")
"""The kinds of rows whose time is shown."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How the lines are laid out."""

    columns: int
    glyphs: Glyphs

    def report(self, rows: Sequence[Row]) -> Iterator[Line]:
        """Yield the lines of all services, those that have not failed in the order of the file."""
        names = self._column(row.name for row in rows)
        for row in rows:
            if row.kind != "failed":
                yield from self._beside(row.name, names, service_text(row))
        failed = [(row.name, row.failure) for row in rows if row.kind == "failed" and row.failure is not None]
        for group in group_failures(failed):
            yield from self._failures(group, names)

    def summary(self, rows: Sequence[Row], messages: Messages, done: Mapping[str, Any]) -> Iterator[Line]:
        """Yield the last lines of a rollout: which services failed, then the result with its numbers."""
        success = done.get("success") is True
        style = "bold green" if success else "bold red"
        failed = [row.name for row in rows if row.kind == "failed"]
        if len({row.text for row in rows if row.kind == "failed"}) > 1:
            yield from self._wrapped((("failed:", style), (f" {', '.join(failed)}", "")), "  ", INDENT)
        counts = ", ".join(f"{number} {kind}" for kind, number in count(rows).items())
        result = (messages.good if success else messages.bad) + (f": {counts}" if counts else "")
        elapsed = done.get("elapsed")
        took = f" ({seconds(elapsed)})" if isinstance(elapsed, int | float) else ""
        yield from self._wrapped(((f"{result}{took}", style),), "  ", INDENT)

    def operation(self, text: str) -> Iterator[Line]:
        """Yield the lines of a text that is about no service."""
        return self._wrapped(_verdict(text), "  ", INDENT)

    def _failures(self, group: Group, names: int) -> Iterator[Line]:
        text = _verdict(f"failed: {group.reason}")
        if len(group.services) == 1:
            yield from self._beside(group.services[0], names, text)
        else:
            yield from self._beside(f"{len(group.services)} services", 0, text)
            yield from self._services(group)
        for label, detail in detail_lines(group.details):
            if label == "|":
                yield from self._wrapped(((detail, "dim"),), f"{INDENT}| ", f"{INDENT}|   ", "dim")
            else:
                help_style, style = ("bold", "") if label == "help:" else ("dim", "dim")
                yield from self._wrapped(((label, help_style), (f" {detail}", style)), INDENT, " " * 10)

    def _services(self, group: Group) -> Iterator[Line]:
        """Yield the services of a group: each with what matters of it, or their names alone."""
        if not group.causes:
            yield from self._wrapped(((", ".join(group.services), ""),), INDENT, INDENT)
            return
        names = self._column(group.services)
        for service, cause in group.causes:
            name = pad(f"{self._name(service)}:", names + 1)
            room = self.columns - len(INDENT) - width(name) - 1
            yield ((f"{INDENT}{name} ", ""), (self.glyphs.cut(cause, room), "dim"))

    def _beside(self, name: str, names: int, text: Line) -> Iterator[Line]:
        """Yield a text that begins beside a name."""
        first = f"  {pad(f'{self._name(name)}:', names + 1)} "
        rest = " " * width(first) if width(first) <= self.columns // 2 else INDENT
        return self._wrapped(text, first, rest)

    def _column(self, names: Iterable[str]) -> int:
        """Return the width of names in a column, which longer ones exceed."""
        return min(max((width(self._name(each)) for each in names), default=0), self.columns // 3, WIDEST_COLUMN)

    def _name(self, name: str) -> str:
        return self.glyphs.cut_name(name, max(1, self.columns - SHORTEST_TEXT - 4))

    def _wrapped(self, text: Line, first: str, rest: str, style: str = "") -> Iterator[Line]:
        legible = tuple((self.glyphs.legible(each), its_style) for each, its_style in text)
        return wrap(legible, ((first, style),), ((rest, style),), self.columns)


def service_text(row: Row) -> Line:
    """Return what stays of a service beside its name: `healthy (3.9s)`, or what it is doing if it has no verdict."""
    is_timed = row.kind in TIMED and row.elapsed is not None
    return (*_verdict(row.text), (f" ({seconds(row.elapsed or 0.0)})" if is_timed else "", "dim"))


def _verdict(text: str) -> Line:
    """Return a verdict such as `healthy` or `failed: …`, in its colors."""
    if text.startswith("failed:"):
        return (("failed:", "bold red"), (text.removeprefix("failed:"), ""))
    return ((text, "green" if text in (HEALTHY, DONE) else ""),)
