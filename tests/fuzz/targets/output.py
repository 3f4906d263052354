"""What others say, on its way to a terminal."""

import json
import random
from typing import Any, Final

from mill_cli.output import differences
from mill_cli.output.lines import details, line
from mill_cli.output.screen import as_json
from mill_cli.output.tables import table
from tests.fuzz.target import Target
from tests.fuzz.texts import text, word


def _value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.random()
    if depth < 3 and kind < 0.2:
        return {text(rng, most=3): _value(rng, depth + 1) for _ in range(rng.randint(0, 3))}
    if depth < 3 and kind < 0.4:
        return [_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return text(rng, most=5) if kind < 0.8 else rng.choice((None, True, 0, -1, 1.5, 10**30, word(rng)))


def _event(rng: random.Random) -> dict[str, Any]:
    keys = ("service", "phase", "node", "reason", "evidence", "suggestion", "code", "pod", "message")
    data = {key: _value(rng) for key in rng.sample(keys, rng.randint(0, len(keys)))}
    return data | ({"phase": "scheduled"} if rng.random() < 0.3 else {})


def _is_text(shown: str) -> bool:
    return all(each.isprintable() or each in "\t\n" for each in shown)


def _json(value: Any) -> None:
    """JSON says the same, in one line of printable characters."""
    shown = as_json(value)
    assert shown.isprintable()
    assert json.loads(shown) == value


def _lines(data: dict[str, Any]) -> None:
    """An event becomes a printable line and printable lines below it."""
    for name in ("progress", "failed"):
        assert (line(name, data, 10) or "").isprintable()
    assert all(each.isprintable() or "\t" in each for each in details(data))
    assert _is_text("\n".join(details(data)))


def _tables(rows: list[list[str]]) -> None:
    """A table is printable, in any width, and each change of a deploy is a line."""
    for width in (None, 20, 80):
        assert _is_text(table(("A", "B"), rows, width))
    fields = [{"path": path, "before": before, "after": [before]} for path, before in rows]
    program = {"name": "web", "change": "changed", "fields": fields}
    planned = {"services": [program], "tasks": [], "name": "a", "namespace": "b", "changed": True, "created": False}
    shown = differences.show(planned)
    assert _is_text(shown)
    assert len(shown.split("\n")) == 2 + len(rows)


TARGETS: Final = (
    Target("json-output", _value, _json),
    Target("event-lines", _event, _lines),
    Target("tables", lambda rng: [[text(rng, most=6), text(rng, most=3)] for _ in range(rng.randint(0, 3))], _tables),
)
