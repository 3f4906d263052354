"""`mill status --watch`: the status again and again, drawn in place on a terminal, printed on each change elsewhere."""

import sys
import time
from typing import Any, Final, NoReturn

from mill_cli.connection.client import Gateway
from mill_cli.connection.failures import UNAVAILABLE, Refused, Unanswered
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.overview import overview
from mill_cli.output.region import Region
from mill_cli.status import read_status

PAUSE_SECONDS: Final = 2.0
"""Shortest time between two reads."""
SHARE: Final = 5
"""Part of the time that reads may take: a gateway whose answers take long is asked less often."""


def watch_status(options: Options, *, all_namespaces: bool) -> NoReturn:
    """Show the status until the process is interrupted. Raise `CliError` if the first read fails.

    Later the gateway may be away: the display says so, and stays as it was.
    """
    with Gateway(options) as gateway:
        _watch(gateway, all_namespaces=all_namespaces)


def _watch(gateway: Gateway, *, all_namespaces: bool) -> NoReturn:
    as_json = gateway.options.as_json
    show: _Drawn | _Printed = _Drawn() if screen.interactive() and not as_json else _Printed(as_json=as_json)
    answered = False
    try:
        while True:
            began = time.monotonic()
            try:
                found, now = read_status(gateway, all_namespaces=all_namespaces)
                answered = True
                show.update(found, now)
            except (Unanswered, Refused) as error:
                if not answered or (isinstance(error, Refused) and error.status not in UNAVAILABLE):
                    raise
                show.report(str(error))
            time.sleep(max(PAUSE_SECONDS, SHARE * (time.monotonic() - began)))
    finally:
        show.end()


class _Printed:
    """The status as lines, whenever it has changed. Ages alone are no change."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._last: Any = None
        self._reported = ""

    def update(self, found: dict[str, Any], now: float | None) -> None:
        self._reported = ""
        if found == self._last:
            return
        if self._as_json:
            screen.out_json(found)
        else:
            screen.out(("" if self._last is None else "\n") + overview(found, now, screen.width()))
        self._last = found

    def report(self, error: str) -> None:
        if error != self._reported:
            screen.note(f"{error}; trying again")
            self._reported = error

    def end(self) -> None:
        """Nothing is left to do."""


class _Drawn:
    """The status in place, as far as the terminal has lines: what is wrong comes first."""

    def __init__(self) -> None:
        self._region = Region(sys.stdout)
        self._text: list[str] = []
        self._final = ""

    def update(self, found: dict[str, Any], now: float | None) -> None:
        columns, _ = screen.size()
        self._text = overview(found, now, columns - 1, problems_first=True).split("\n")
        self._final = overview(found, now, columns)
        self._draw(self._text)

    def report(self, error: str) -> None:
        self._draw([f"NO ANSWER: {error}; this is the last status", *self._text])

    def _draw(self, lines: list[str]) -> None:
        columns, rows = screen.size()
        room = max(2, rows - 1)
        if len(lines) > room:
            lines = [*lines[: room - 1], f"and {len(lines) - room + 1} more lines: `mill status`"]
        self._region.draw([each[: columns - 1] for each in lines])

    def end(self) -> None:
        """Leave the last status behind."""
        self._region.clear()
        if self._final:
            screen.out(self._final)
