"""Lines of logs, as the kubelet gives them with their times, and how far a reader has come in each replica's.

A position is the time of the last line that was read and how many lines had that very time: Kubernetes can begin at a
second only, and what was read of that second is passed over. A replica's lines are in the order of their times, also
across a restart of its container.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

LINE_LIMIT: Final = 64 * 1024
"""Bytes of a line that are shown."""
CUT: Final = " … (cut)"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_POSITION: Final = re.compile(r"([0-9a-f]{8})-([0-9a-z]{1,13})-([0-9a-z]{1,6})", re.ASCII)


class Position(NamedTuple):
    """How far somebody has read."""

    nanoseconds: int
    """Time of the last line."""
    lines: int
    """How many lines of that very time."""

    @property
    def since(self) -> str:
        """Return the second to begin at."""
        return datetime.fromtimestamp(self.nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a replica."""

    nanoseconds: int
    text: str
    previous: bool = False
    """Whether the container wrote it before it was started anew."""


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
    whole = datetime.fromisoformat(match[1].decode() + match[3].decode().replace("Z", "+00:00"))
    nanoseconds = int(whole.timestamp()) * 1_000_000_000 + int((match[2] or b"0").ljust(9, b"0"))
    return Line(nanoseconds, text.removesuffix(b"\r").decode(errors="replace"), previous)


class Progress:
    """How far somebody has read each replica."""

    MOST: Final = 50
    """Replicas that an id tells of: those that were read last."""
    KEPT: Final = 1000
    """Replicas that are remembered while the stream is open."""

    def __init__(self, positions: Mapping[str, Position] | None = None) -> None:
        self._positions = dict(positions or {})
        self._passed: dict[str, int] = {}

    def position(self, pod: str) -> Position | None:
        """Return how far a replica was read. `pod` is the beginning of its uid."""
        return self._positions.get(pod)

    def reopen(self, pod: str) -> None:
        """Begin to pass over what was read of a replica: its lines come again from the position's second on."""
        self._passed[pod] = 0

    def take(self, pod: str, line: Line) -> bool:
        """Note a line. Tell whether it is a new one."""
        known = self._positions.get(pod)
        if known is None or line.nanoseconds > known.nanoseconds:
            self._positions.pop(pod, None)
            self._positions[pod] = Position(line.nanoseconds, 1)
            self._passed[pod] = 1
            if len(self._positions) > self.KEPT:
                longest_ago = next(iter(self._positions))
                del self._positions[longest_ago]
                self._passed.pop(longest_ago, None)
            return True
        if line.nanoseconds < known.nanoseconds:
            return False
        self._passed[pod] = self._passed.get(pod, 0) + 1
        if self._passed[pod] <= known.lines:
            return False
        self._positions[pod] = Position(known.nanoseconds, self._passed[pod])
        return True

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
        return cls(positions)


def encode(line: Line, pod: str, event_id: str) -> bytes:
    """Return the bytes of a line's event: JSON with sorted keys, as in the original, and with the replica's name."""
    second = datetime.fromtimestamp(line.nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = {"alloc": pod, "line": line.text, "stream": "stdout", "ts": second}
    if line.previous:
        data["previous"] = True  # type: ignore[assignment]
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"data: {text}\r\nid: {event_id}\r\n\r\n".encode()


def nothing_found(name: str) -> bytes:
    """Return the event that says that nothing has such a name."""
    return f"event: error\r\ndata: no allocations found for '{name}'\r\n\r\n".encode()


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
