"""Queue of everything that changes what is shown: events of a stream, statuses, runs, signals and timeouts."""

import contextlib
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from mill_cli.connection.streams import ServerEvent


@dataclass(frozen=True, slots=True)
class ObservedServices:
    """The services of a status."""

    services: list[dict[str, Any]]
    server_time: float | None = None
    """The gateway's time in seconds since 1970 when it sent them, if it is known."""
    rollout_seconds: float | None = None
    """Seconds since the rollout started, by the gateway's clock, if they are known."""


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """A run of a task, as the gateway reports it."""

    run: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SuspendRequested:
    """Ctrl-Z was typed."""


class TimeIsOver(Exception):
    """The deadline of a queue has passed before its stream ended."""


_SIGNALS: Final[dict[int, Callable[[], SuspendRequested | BaseException]]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: lambda: SystemExit(128 + signal.SIGTERM),
    signal.SIGTSTP: SuspendRequested,
}

QueueItem = ServerEvent | ObservedServices | ObservedRun | SuspendRequested


class EventQueue:
    """Queue that several threads fill. It ends when the stream does, or at a deadline."""

    def __init__(self, deadline: float | None = None) -> None:
        """`deadline` is a moment by `time.monotonic`."""
        self._deadline = deadline
        self._queue: queue.SimpleQueue[QueueItem | BaseException | None] = queue.SimpleQueue()

    def read(self, events: Iterable[ServerEvent]) -> None:
        """Read a stream into the queue, in a thread."""

        def read() -> None:
            try:
                for event in events:
                    self._queue.put(event)
                self._queue.put(None)
            except BaseException as error:  # noqa: BLE001 - `receive` raises it
                self._queue.put(error)

        threading.Thread(target=read, daemon=True).start()

    @contextlib.contextmanager
    def polling(self, poll: Callable[[], QueueItem | None], every: float) -> Iterator[None]:
        """Poll the status while the block runs, at once and then every `every` seconds."""
        over = threading.Event()

        def run() -> None:
            while not over.is_set():
                if (observed := poll()) is not None:
                    self._queue.put(observed)
                over.wait(every)

        threading.Thread(target=run, daemon=True).start()
        try:
            yield
        finally:
            over.set()

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Queue signals such as Ctrl-C while the block runs, so that they do not interrupt a drawing."""

        def arrived(number: int, _frame: FrameType | None) -> None:
            self._queue.put(_SIGNALS[number]())

        before = {each: signal.getsignal(each) for each in _SIGNALS}
        replaced = {each: handler for each, handler in before.items() if handler != signal.SIG_IGN}
        for each in replaced:
            signal.signal(each, arrived)
        try:
            yield
        finally:
            for each, handler in replaced.items():
                signal.signal(each, handler)

    def receive(self, due: Callable[[], float | None]) -> Iterator[QueueItem | None]:
        """Yield the items, and None when the moment that `due` returns comes first.

        Raise what a thread raised, and `TimeIsOver` at the deadline.
        """
        while True:
            now = time.monotonic()
            if self._deadline is not None and now >= self._deadline:
                raise TimeIsOver
            until = min((each for each in (due(), self._deadline) if each is not None), default=None)
            wait = None if until is None else max(0.0, until - now)
            try:
                item = self._queue.get(timeout=wait)
            except queue.Empty:
                yield None
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
