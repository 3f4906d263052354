"""What comes from several sides at its own times, for whoever shows it: one thing after the other."""

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
class ReplicaCounts:
    """What a status says of its services."""

    services: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SuspendRequested:
    """Ctrl-Z."""


_SIGNALS: Final[dict[int, Callable[[], SuspendRequested | BaseException]]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: lambda: SystemExit(128 + signal.SIGTERM),
    signal.SIGTSTP: SuspendRequested,
}

QueueItem = ServerEvent | ReplicaCounts | SuspendRequested


class EventQueue:
    """A queue of such things. It ends with the events that are read."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[QueueItem | BaseException | None] = queue.SimpleQueue()

    def read(self, events: Iterable[ServerEvent]) -> None:
        """Begin to read."""

        def read() -> None:
            try:
                for event in events:
                    self._queue.put(event)
                self._queue.put(None)
            except BaseException as error:  # noqa: BLE001 - handed on to whoever takes it
                self._queue.put(error)

        threading.Thread(target=read, daemon=True).start()

    @contextlib.contextmanager
    def looking(self, look: Callable[[], list[dict[str, Any]] | None], every: float) -> Iterator[None]:
        """While the block runs, look at the status, at once and every so many seconds."""
        over = threading.Event()

        def run() -> None:
            while not over.is_set():
                if (services := look()) is not None:
                    self._queue.put(ReplicaCounts(services))
                over.wait(every)

        threading.Thread(target=run, daemon=True).start()
        try:
            yield
        finally:
            over.set()

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """While the block runs, Ctrl-C, Ctrl-Z and the like come in their turn too, not in the midst of a drawing."""

        def arrived(number: int, _frame: FrameType | None) -> None:
            self._queue.put(_SIGNALS[number]())

        before = {each: signal.getsignal(each) for each in _SIGNALS}
        taken = {each: handler for each, handler in before.items() if handler != signal.SIG_IGN}
        for each in taken:
            signal.signal(each, arrived)
        try:
            yield
        finally:
            for each, handler in taken.items():
                signal.signal(each, handler)

    def take(self, due: Callable[[], float | None]) -> Iterator[QueueItem | None]:
        """Yield what arrives, and None when a time is due before something does. Raise what went wrong."""
        while True:
            until = due()
            wait = None if until is None else max(0.0, until - time.monotonic())
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
