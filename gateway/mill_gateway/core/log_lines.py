"""Lines of logs, as the kubelet gives them with their times, and how far a reader has come in each replica's.

A position is the latest time that was read, and how many lines were read from the first one of that time on: Kubernetes
can begin at a second only, and what was read before is passed over. Times alone do not tell: those of standard output
and error are taken before the lines are put in order, and clocks are set back.
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
"""Bytes of a line that are shown."""
LINE_OVERHEAD: Final = 200
"""Bytes that a line takes besides its text."""
CUT: Final = " … (cut)"
SECOND: Final = 1_000_000_000
"""In nanoseconds; a line whose time is more than that behind another's tells of a clock that was set back."""
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_POSITION: Final = re.compile(r"([0-9a-f]{8})-([0-9a-z]{1,13})-([0-9a-z]{1,6})", re.ASCII)


class Position(NamedTuple):
    """How far somebody has read."""

    nanoseconds: int
    """The latest time of a line."""
    lines: int
    """How many lines, from the first one of that time on."""

    @property
    def since(self) -> str:
        """Return the second to begin at: the one before, for lines that came later though their time is earlier."""
        return _second(max(self.nanoseconds - SECOND, 0))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a replica."""

    nanoseconds: int
    text: str
    previous: bool = False
    """Whether the container wrote it before it was started anew."""

    @property
    def size(self) -> int:
        """Return how many bytes of memory it takes: up to four for each character."""
        return sys.getsizeof(self.text) + LINE_OVERHEAD


class Splitter:
    """Chunks → lines, each cut where it becomes too long to keep."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._cut = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that are complete."""
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            self._add(part)
            yield self._take()
        self._add(rest)

    def end(self) -> Iterator[bytes]:
        """Yield what is left."""
        if self._rest:
            yield self._take()

    def _add(self, part: bytes) -> None:
        room = LINE_LIMIT - len(self._rest)
        self._cut |= len(part) > room
        self._rest += part[:room]

    def _take(self) -> bytes:
        line = bytes(self._rest) + (CUT.encode() if self._cut else b"")
        self._rest.clear()
        self._cut = False
        return line


def parse(raw: bytes, *, previous: bool = False) -> Line | None:
    """Read a line that begins with its time; None for what the kubelet says in between."""
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
    """How far somebody has read each replica."""

    MOST: Final = 50
    """Replicas that an id tells of: those that were read last."""
    KEPT: Final = 1000
    """Replicas that are remembered while the stream is open."""
    LATE: Final = 10 * SECOND
    """How much later than others' lines the first ones of a new replica may come."""

    def __init__(self, positions: Mapping[str, Position] | None = None, others: Position | None = None) -> None:
        self._positions = dict(positions or {})
        self._others = others
        self._reopened: set[str] = set()
        """Replicas whose lines have not come to the position's time again."""
        self._ahead: dict[str, int] = {}
        """How many lines of a replica are to be passed over yet."""

    def position(self, pod: str) -> Position | None:
        """Return how far a replica was read. `pod` is the beginning of its uid."""
        return self._positions.get(pod, self._others)

    def reopen(self, pod: str) -> None:
        """Begin to pass over what was read of a replica: its lines come again from before the position on."""
        self._ahead.pop(pod, None)
        if self.position(pod) is not None:
            self._reopened.add(pod)

    def take(self, pod: str, line: Line) -> bool:
        """Note a line. Tell whether it is a new one."""
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
        """Read it. Raise ValueError if it is none of ours."""
        positions = {}
        for part in text.split("."):
            match = _POSITION.fullmatch(part)
            if match is None:
                raise ValueError(f"{part!r} is no position in a log")
            positions[match[1]] = Position(int(match[2], 36), int(match[3], 36))
        times = [at.nanoseconds for at in positions.values()]
        # Of others nothing was read, unless there are too many to tell of: then they were read before all of these.
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
    """Return the event that says that nothing has such a name."""
    return error_event(f"no allocations found for '{name}'")


def error_event(reason: str) -> bytes:
    """Return the event that says in words why there are no lines, or no more."""
    shown = re.sub(r"[\r\n]+", " ", reason)  # which would end the event, and begin another
    return f"event: error\r\ndata: {shown}\r\n\r\n".encode()


def _second(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
