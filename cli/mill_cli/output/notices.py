"""What standard error reports of a rollout while standard output waits: suspicions, and what matters of failures.

Standard output has verdicts alone, in the order of the file. A log of CI would be silent for the minutes that a grace
period takes. So what is wrong is reported after a few seconds, with the time that is left, and again only when the
cause changes. Pure; moments are arguments, of one clock.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mill_cli.output.failures import read_failure
from mill_cli.output.lines import prefix
from mill_cli.output.moments import seconds_until
from mill_cli.output.text import one_line
from mill_cli.output.unready import unready_text

SUSPICION_SECONDS: Final = 5.0
"""Seconds for which something must be wrong before it is reported: most of it is over by then."""
HELD_SECONDS: Final = 3.0
"""Seconds for which standard output may hold a failure before it is reported here."""
LONGEST_CAUSE: Final = 300
"""Characters of a cause."""
MINUTES_FROM: Final = 180
"""Seconds from which a time is reported in minutes and seconds."""
ENDS_START: Final = ("pulling", "waiting", "suspect", "healthy", "settled", "stopped")
"""The phases of a service that is not starting any more."""
ENDS_SUSPICION: Final = ("pulling", "starting", "waiting", "healthy", "settled", "stopped")
"""The phases of a service of which nothing is wrong."""


@dataclass(slots=True)
class _Suspicion:
    """What is wrong with a service."""

    began_at: float
    message: str
    changed_at: float
    """The moment at which the message became this one."""
    detail: str = ""
    fails_at: float | None = None
    """The moment at which it becomes a failure; None if that is not known."""
    stands: bool = True
    """Whether the last status has it. Another replica of the gateway may have an older status."""
    reported: set[str] = field(default_factory=set)

    @property
    def due(self) -> float | None:
        """The moment at which it must be reported; None if there is nothing to report."""
        if not self.stands or not self.message or self.message in self.reported:
            return None
        return (self.changed_at if self.reported else self.began_at) + SUSPICION_SECONDS

    def change(self, message: str, now: float) -> None:
        """Set the message."""
        if message != self.message:
            self.message, self.changed_at, self.detail = message, now, ""

    def text(self, now: float) -> str:
        """Return `waiting: no nodes available: insufficient memory (largest node: 23.4 GiB; fails in 115s)`."""
        left = 0 if self.fails_at is None else math.ceil(self.fails_at - now)
        return f"waiting: {self.message}{_in_parentheses(self.detail, f'fails in {_time(left)}' if left > 0 else '')}"


@dataclass(frozen=True, slots=True)
class _Failure:
    service: str
    reason: str
    cause: str
    known_at: float


class Notices:
    """The notices of a rollout. Its user prints what `lines` returns after each change, and when `due` has come."""

    def __init__(self, width: int, *, failures: bool = True) -> None:
        """`width` is that of the longest name. Without `failures` only suspicions are reported."""
        self._width = width
        self._failures = failures
        self._suspicions: dict[str, _Suspicion] = {}
        self._starting: dict[str, float] = {}
        """Services that are starting, with the moment at which that began."""
        self._failed: set[str] = set()
        """Services that have failed: what is wrong with them is known."""
        self._unreported: list[_Failure] = []

    def needs_status(self, now: float) -> bool:
        """Return whether the status of the services is needed: something is wrong, or a start takes long."""
        started_at = list(self._starting.values())  # the caller is another thread
        return bool(self._suspicions) or any(now >= each + SUSPICION_SECONDS for each in started_at)

    def apply(self, event: str, data: Mapping[str, Any], now: float) -> None:
        """Apply an event of the stream."""
        service, phase = data.get("service"), data.get("phase")
        if event == "done":
            self._suspicions.clear()
            self._starting.clear()
        if not isinstance(service, str):
            return
        if phase == "starting" and event != "failed":
            self._starting.setdefault(service, now)
        elif event == "failed" or phase in ENDS_START:
            self._starting.pop(service, None)
        if event == "failed":
            self._fail(service, data, now)
        elif phase == "suspect" and service not in self._failed:
            message = _text(data.get("message"))
            self._suspicions.setdefault(service, _Suspicion(now, message, now)).change(message, now)
        elif phase in ENDS_SUSPICION:
            self._suspicions.pop(service, None)
            if phase == "healthy":
                self._failed.discard(service)

    def observe(self, services: Iterable[Any], now: float, server_time: float | None) -> None:
        """Apply a status. It may come from another release: malformed entries are ignored.

        `server_time` is the gateway's time in seconds since 1970 when it sent the status: times in it are compared
        with that, since the clock of this machine may differ.
        """
        for each in services:
            name = each.get("name") if isinstance(each, Mapping) else None
            known = self._known(name, each) if isinstance(name, str) else None
            if known is None:
                continue
            message = (
                _text(each.get("message")) or known.message if each.get("state") == "Suspect" else unready_text(each)
            )
            if not message:
                known.stands = False
                continue
            if not known.stands:
                known.stands, known.began_at = True, now
            known.change(message, now)
            known.detail = _text(each.get("detail"))
            left = seconds_until(each.get("dueAt"), server_time)
            known.fails_at = None if left is None else now + left

    def _known(self, service: str, status: Mapping[str, Any]) -> _Suspicion | None:
        """Return what is known to be wrong with a service: also that its health checks fail while it is starting."""
        began_at = self._starting.get(service)
        if service not in self._suspicions and began_at is not None and (message := unready_text(status)):
            self._suspicions[service] = _Suspicion(began_at, message, began_at)
        return self._suspicions.get(service)

    def lines(self, now: float, is_held: Callable[[str], bool]) -> list[str]:
        """Return the lines to print now. `is_held` tells whether standard output holds lines of a service."""
        return [prefix(service, self._width) + text for service, text in self._due(now, is_held)]

    @property
    def due(self) -> float | None:
        """The moment at which there may be a line to print; None if only a change makes one."""
        moments = [each.known_at + HELD_SECONDS for each in self._unreported]
        moments += [each.due for each in self._suspicions.values() if each.due is not None]
        return min(moments, default=None)

    def _fail(self, service: str, data: Mapping[str, Any], now: float) -> None:
        self._suspicions.pop(service, None)
        self._failed.add(service)
        if self._failures:
            failure = read_failure(data)
            self._unreported.append(_Failure(service, _text(failure.reason), _text(failure.cause), now))

    def _due(self, now: float, is_held: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        waiting = []
        for failure in self._unreported:
            if not is_held(failure.service):  # standard output has the reason
                if failure.cause:
                    yield failure.service, failure.cause
            elif now >= failure.known_at + HELD_SECONDS:
                yield failure.service, f"failed: {failure.reason}{_in_parentheses(failure.cause)}"
            else:
                waiting.append(failure)
        self._unreported = waiting
        for service, suspicion in self._suspicions.items():
            if suspicion.due is not None and now >= suspicion.due:
                suspicion.reported.add(suspicion.message)
                yield service, suspicion.text(now)


def _text(value: object) -> str:
    text = one_line(value) if isinstance(value, str) else ""
    return text if len(text) <= LONGEST_CAUSE else text[: LONGEST_CAUSE - 3] + "..."


def _in_parentheses(*parts: str) -> str:
    given = "; ".join(filter(None, parts))
    return f" ({given})" if given else ""


def _time(seconds: int) -> str:
    return f"{seconds}s" if seconds < MINUTES_FROM else f"{seconds // 60}m{seconds % 60:02}s"
