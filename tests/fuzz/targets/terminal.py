"""What others say of a rollout, on its way into the frames of a terminal and the lines that stay."""

import random
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.cells import Line, line_width, paint
from mill_cli.output.closing import Closing
from mill_cli.output.frame import Shown, frame
from mill_cli.output.glyphs import ASCII, UNICODE
from mill_cli.output.lines import DEPLOY
from mill_cli.output.rows import Rows
from tests.fuzz.target import Target
from tests.fuzz.texts import text, word

NARROWEST: Final = 24
"""Columns of the narrowest terminal in which no line is too wide."""
PHASES: Final = ("pulling", "scheduled", "starting", "suspect", "healthy", "settled", "stopped", "waiting", "thawing")
STATES: Final = ("Pending", "Healthy", "Suspect", "Failed", "Hibernating")


@dataclass(frozen=True)
class Told:
    """Events and statuses of a rollout, and the size of a terminal."""

    events: list[tuple[str, dict[str, Any]]]
    services: list[Any]
    columns: int
    lines: int


def _odd(rng: random.Random) -> Any:
    return rng.choice((None, True, -1, 1.5, float("nan"), 10**30, [], {}, [None], text(rng, most=3)))


def _event(rng: random.Random, names: list[str]) -> tuple[str, dict[str, Any]]:
    data: dict[str, Any] = {"service": rng.choice(names), "phase": rng.choice(PHASES), "elapsed": rng.random() * 99}
    for key in ("node", "reason", "evidence", "suggestion", "code", "detail", "message"):
        if rng.random() < 0.5:
            data[key] = text(rng, most=8)
    for key in ("service", "phase", "elapsed", "reason", "evidence", "detail"):
        if rng.random() < 0.05:
            data[key] = _odd(rng)
    return rng.choice(("progress", "progress", "failed")), data


def _status(rng: random.Random, names: list[str]) -> Any:
    replicas = {"healthy": rng.randint(0, 9), "desired": rng.randint(0, 9)}
    found: dict[str, Any] = {"name": rng.choice(names), "state": rng.choice(STATES), "replicas": replicas}
    found |= {"settle": 10.0, "settlingSince": "2026-01-31T12:00:00.000Z", "message": text(rng, most=8)}
    for key in found:
        if rng.random() < 0.1:
            found[key] = _odd(rng)
    return _odd(rng) if rng.random() < 0.1 else found


def _told(rng: random.Random) -> Told:
    names = [word(rng) if rng.random() < 0.7 else text(rng, most=4) for _ in range(rng.randint(1, 9))]
    return Told(
        [_event(rng, names) for _ in range(rng.randint(0, 20))],
        [_status(rng, names) for _ in range(rng.randint(0, 9))],
        rng.randint(NARROWEST, 160),
        rng.randint(2, 30),
    )


def _terminal(told: Told) -> None:
    """Each line is printable and fits, and a frame leaves a line for the cursor."""
    rows = Rows([str(data["service"]) for _, data in told.events[::2]])
    for at, (name, data) in enumerate(told.events):
        rows.apply(name, data, float(at))
    rows.observe(told.services, 20.0, 1.8e9)
    for glyphs in (UNICODE, ASCII):
        shown = frame(Shown(rows.shown, ["reconnecting"], 30.0, 0.0), (told.columns, told.lines), glyphs)
        assert len(shown) <= max(2, told.lines - 1)
        _fits(shown, told.columns)
        closing = Closing(told.columns, glyphs)
        _fits([*closing.report(rows.shown), *closing.summary(rows.shown, DEPLOY, {"success": False})], told.columns)


def _fits(lines: list[Line], columns: int) -> None:
    for each in lines:
        assert line_width(each) <= columns, (each, columns)
        assert paint(each, colored=False).isprintable(), each


TARGETS: Final = (Target("terminal", _told, _terminal),)
