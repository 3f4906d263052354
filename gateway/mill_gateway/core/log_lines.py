"""Lines of logs with the kubelet's times, and the position of a reader in the log of each replica.

A position is the latest time that was read, and the number of lines read since the first one of that time. Kubernetes
can start a log only at a second, so lines that the reader has are skipped. Times alone are not enough: those of
standard output and error are taken before the lines are put in order, and clocks are set back.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from mill_objects.fields import moment

LINE_LIMIT: Final = 64 * 1024
"""Bytes of a line that are sent."""
LINE_OVERHEAD: Final = 200
"""Bytes that a line takes besides its text."""
CUT: Final = " … (cut)"
SECOND: Final = 1_000_000_000
"""In nanoseconds; a line whose time is more than that behind another's shows a clock that was set back."""
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_POSITION: Final = re.compile(r"([0-9a-f]{8})-([0-9a-z]{1,13})-([0-9a-z]{1,6})", re.ASCII)


class Position(NamedTuple):
    """Position of a reader in one log."""

    nanoseconds: int
    """The latest time of a line."""
    lines: int
    """Number of lines read since the first one of that time."""

    @property
    def since(self) -> str:
        """Second from which the log is read again: the one before, for lines written late with an earlier time."""
        return _second(max(self.nanoseconds - SECOND, 0))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a replica."""

    nanoseconds: int
    text: str
    previous: bool = False
    """Whether it was written before the container's last restart."""

    @property
    def size(self) -> int:
        """Bytes of memory that it takes: up to four for each character."""
        return sys.getsizeof(self.text) + LINE_OVERHEAD


class Splitter:
    """Splits chunks into lines, and cuts those that are too long."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._cut = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that are complete."""
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            self._add(part)
            yield self._pop_line()
        self._add(rest)

    def end(self) -> Iterator[bytes]:
        """Yield the last line, if it has no newline."""
        if self._rest:
            yield self._pop_line()

    def _add(self, part: bytes) -> None:
        room = LINE_LIMIT - len(self._rest)
        self._cut |= len(part) > room
        self._rest += part[:room]

    def _pop_line(self) -> bytes:
        line = bytes(self._rest) + (CUT.encode() if self._cut else b"")
        self._rest.clear()
        self._cut = False
        return line


def parse(raw: bytes, *, previous: bool = False) -> Line | None:
    """Read a line that starts with its time; None for a line of the kubelet itself."""
    time, _, text = raw.partition(b" ")
    match = _TIME.fullmatch(time)
    if match is None:
        return None
    whole = moment(match[1].decode() + match[3].decode())
    if whole is None:  # such as the 30th of February
        return None
    # A clock that was never set: positions count from 1970.
    nanoseconds = max(0, int(whole.timestamp())) * SECOND + int((match[2] or b"0").ljust(9, b"0"))
    return Line(nanoseconds, text.removesuffix(b"\r").decode(errors="replace"), previous)


class Progress:
    """Positions of one reader in the logs of all replicas."""

    MOST: Final = 50
    """Replicas in an event id: those that were read last."""
    KEPT: Final = 1000
    """Replicas that are remembered while the stream is open."""
    LATE: Final = 10 * SECOND
    """Nanoseconds by which the first lines of a new replica may be later than those of others."""

    def __init__(self, positions: Mapping[str, Position] | None = None, others: Position | None = None) -> None:
        self._positions = dict(positions or {})
        self._others = others
        self._reopened: set[str] = set()
        """Replicas whose lines have not come to the position's time again."""
        self._ahead: dict[str, int] = {}
        """Number of lines of a replica that are still skipped."""

    def position(self, pod: str) -> Position | None:
        """Return the position in a replica's log. `pod` is the short uid of the pod."""
        return self._positions.get(pod, self._others)

    def reopen(self, pod: str) -> None:
        """Start to skip lines of a replica up to its position, since its log is read again from before."""
        self._ahead.pop(pod, None)
        if self.position(pod) is not None:
            self._reopened.add(pod)

    def advance(self, pod: str, line: Line) -> bool:
        """Advance the position by a line; return whether the reader does not have it yet."""
        known = self.position(pod)
        if known is not None and self._was_read(pod, line, known):
            return False
        self._positions.pop(pod, None)
        if known is None or not known.nanoseconds - SECOND <= line.nanoseconds <= known.nanoseconds:
            self._positions[pod] = Position(line.nanoseconds, 1)
        else:
            self._positions[pod] = Position(known.nanoseconds, known.lines + 1)
        if len(self._positions) > self.KEPT:
            longest_ago = next(iter(self._positions))
            del self._positions[longest_ago]
            self._ahead.pop(longest_ago, None)
            self._reopened.discard(longest_ago)
        return True

    def _was_read(self, pod: str, line: Line, known: Position) -> bool:
        if pod in self._reopened:
            if line.nanoseconds < known.nanoseconds:
                return True
            self._reopened.discard(pod)
            self._ahead[pod] = known.lines if line.nanoseconds == known.nanoseconds else 0
        if self._ahead.get(pod):
            self._ahead[pod] -= 1
            return True
        return False

    def encode(self) -> str:
        """Return what a client sends back as `Last-Event-ID`."""
        latest = list(self._positions.items())[-self.MOST :]
        return ".".join(f"{pod}-{_base36(at.nanoseconds)}-{_base36(at.lines)}" for pod, at in latest)

    @classmethod
    def decode(cls, text: str) -> "Progress":
        """Parse such an id. Raise ValueError if it is invalid."""
        positions = {}
        for part in text.split("."):
            match = _POSITION.fullmatch(part)
            if match is None:
                raise ValueError(f"{part!r} is no position in a log")
            positions[match[1]] = Position(int(match[2], 36), int(match[3], 36))
        times = [at.nanoseconds for at in positions.values()]
        # Other replicas were not read, unless the id has no room for them: then they were read before all of these.
        others = max(times) - cls.LATE if len(positions) < cls.MOST else min(times)
        return cls(positions, Position(max(others, 0), 0))


def encode(line: Line, pod: str, event_id: str) -> bytes:
    """Return the bytes of a line's event: JSON with sorted keys, as in the original, and with the replica's name."""
    data = {"alloc": pod, "line": line.text, "stream": "stdout", "ts": _second(line.nanoseconds)}
    if line.previous:
        data["previous"] = True  # type: ignore[assignment]
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"data: {text}\r\nid: {event_id}\r\n\r\n".encode()


def nothing_found(name: str) -> bytes:
    """Return the event for a name that does not exist."""
    return error_event(f"no allocations found for '{name}'")


def nothing_restarted(name: str) -> bytes:
    """Return the event for a name of which no container has restarted."""
    return error_event(f"no container of '{name}' has restarted")


def error_event(reason: str) -> bytes:
    """Return the event that gives the reason why there are no more lines."""
    shown = re.sub(r"[\r\n]+", " ", reason)  # a newline would end the event
    return f"event: error\r\ndata: {shown}\r\n\r\n".encode()


def seconds_ago(seconds: int, now: datetime) -> str:
    """Return the second so long before a moment, as Kubernetes takes it."""
    return _second(max(0, int(now.timestamp()) - seconds) * SECOND)


def _second(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
