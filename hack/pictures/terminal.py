"""A program on a terminal of a given size: what it writes and when, and what a person then sees.

A pseudo-terminal has the kernel's own driver, so that Ctrl-C is a byte which becomes a signal, as it is for people.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyte
from pyte.screens import Char

CTRL_C: Final = b"\x03"
CTRL_Z: Final = b"\x1a"
WAIT_SECONDS: Final = 20.0
_TAKE_TERMINAL: Final = 'terminal=$1; shift; exec "$@" <"$terminal" >"$terminal" 2>&1'
"""The first terminal that the leader of a session opens is that from which it gets its signals."""
_DIM, _BRIGHT_BLACK = 2, 90


class NotSeen(AssertionError):
    """Something did not come to be seen in time."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written at once, or the size that the terminal had from then on."""

    at: float
    """Seconds from the start."""
    data: bytes
    size: tuple[int, int] | None = None
    """Columns and lines."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line that looks the same from end to end."""

    column: int
    text: str
    color: str
    """As pyte calls it: `default`, `red`, `brightblack`."""
    bold: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """What is seen at a moment."""

    columns: int
    lines: tuple[tuple[Run, ...], ...]
    cursor: tuple[int, int] | None
    """Column and line; None if it is hidden."""

    @property
    def text(self) -> str:
        """Return the lines without colors, to the last that is not empty, each with its end."""
        lines = [_plain(runs).rstrip() for runs in self.lines]
        while lines and not lines[-1]:
            lines.pop()
        return "".join(f"{each}\n" for each in lines)


class _Screen(pyte.HistoryScreen):
    """A screen that has a color for what is dim, which pyte leaves as it is."""

    def select_graphic_rendition(self, *attrs: int, **more: Any) -> None:
        super().select_graphic_rendition(*(_BRIGHT_BLACK if each == _DIM else each for each in attrs), **more)


class Display:
    """Turns what is written into what is seen."""

    def __init__(self, columns: int, lines: int) -> None:
        self._screen = _Screen(columns, lines, history=10_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)

    def take(self, written: Written) -> None:
        """Show what was written."""
        if written.size is not None:
            columns, lines = written.size
            self._screen.resize(lines, columns)
        self._stream.feed(written.data)

    def picture(self) -> Picture:
        """Return what is seen now."""
        screen = self._screen
        rows = [screen.buffer[at] for at in range(screen.lines)]
        cursor = None if screen.cursor.hidden else (screen.cursor.x, screen.cursor.y)
        return Picture(screen.columns, tuple(tuple(_runs(row, screen.columns)) for row in rows), cursor)

    def everything(self) -> str:
        """Return the text that is seen, and above it what has scrolled away."""
        columns = range(self._screen.columns)
        gone = ["".join(row[at].data for at in columns).rstrip() for row in self._screen.history.top]
        return "".join(f"{each}\n" for each in gone) + self.picture().text


def pictures(recording: Sequence[Written], columns: int, lines: int) -> Iterator[tuple[float, Picture]]:
    """Yield what was seen after each time that something was written."""
    display = Display(columns, lines)
    for each in recording:
        display.take(each)
        yield each.at, display.picture()


class Terminal:
    """A program on a terminal, as a context manager: it is ended with it."""

    def __init__(
        self,
        *argv: str | Path,
        columns: int = 80,
        lines: int = 24,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.recording: list[Written] = []
        self._display = Display(columns, lines)
        self._master, slave = pty.openpty()
        _set_size(slave, columns, lines)
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _TAKE_TERMINAL, "sh", os.ttyname(slave), *map(str, argv)],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=None if environment is None else dict(environment),
                cwd=folder,
                start_new_session=True,
            )
        finally:
            os.close(slave)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(WAIT_SECONDS)
        os.close(self._master)

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def resize(self, columns: int, lines: int) -> None:
        """Make the window larger or smaller."""
        _set_size(self._master, columns, lines)
        self._take(b"", (columns, lines))

    @property
    def seen(self) -> str:
        """Return the text on the screen, as of the last wait."""
        return self._display.picture().text

    @property
    def picture(self) -> Picture:
        """Return the screen, as of the last wait."""
        return self._display.picture()

    @property
    def everything(self) -> str:
        """Return the text on the screen and above it."""
        return self._display.everything()

    @property
    def raw(self) -> bytes:
        """Return all that was written so far."""
        return b"".join(each.data for each in self.recording)

    def wait_for(self, what: str | Callable[[str], bool], seconds: float = WAIT_SECONDS) -> str:
        """Wait until a text, or what a condition asks for, is on the screen; return what is."""
        condition = what if callable(what) else lambda seen: what in seen
        deadline = time.monotonic() + seconds
        while not condition(self.seen):
            if not self._read(deadline) and not condition(self.seen):
                raise NotSeen(f"{what!r} is not to be seen in:\n{self.seen}")
        return self.seen

    def watch(self, seconds: float) -> str:
        """Read for a while; return what is on the screen then."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.seen

    def echoes(self) -> bool:
        """Tell whether keys are shown as they are pressed."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def end(self, seconds: float = WAIT_SECONDS) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self._process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        """Take what is written next; return whether there was something before the end and the deadline."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux reports so that the terminal is closed
            return False
        if data:
            self._take(data)
        return bool(data)

    def _take(self, data: bytes, size: tuple[int, int] | None = None) -> None:
        written = Written(time.monotonic() - self._started, data, size)
        self.recording.append(written)
        self._display.take(written)


def _set_size(terminal: int, columns: int, lines: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def _runs(row: Mapping[int, Char], columns: int) -> Iterator[Run]:
    """Yield the pieces of a line, to the last that is not empty."""
    chars = [row[at] for at in range(columns)]
    while chars and chars[-1].data == " ":
        chars.pop()
    begin = 0
    for at in range(1, len(chars) + 1):
        if at == len(chars) or _look(chars[at]) != _look(chars[begin]):
            color, bold = _look(chars[begin])
            yield Run(begin, "".join(each.data for each in chars[begin:at]), color, bold)
            begin = at


def _look(char: Char) -> tuple[str, bool]:
    return char.fg, char.bold


def _plain(runs: Sequence[Run]) -> str:
    return "".join(each.text for each in runs)
