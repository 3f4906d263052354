"""The CPU time of a reconciliation: its steps on the event loop, those of its writes, and its work in threads.

Waiting (for the API server, or for a semaphore) costs nothing.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from time import thread_time
from typing import Any, Final, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SLICE_SECONDS: Final = 0.01
"""How long a reconciliation may hold the event loop between two points at which it yields."""
AT_ONCE_SIZE: Final = 1024
"""Characters of input whose work is so short that several such works may follow each other."""
ASIDE_SIZE: Final = 8 * 1024
"""Characters of input from which on work takes longer than a slice."""


@dataclass(slots=True)
class CpuMeter:
    """The CPU time of one reconciliation."""

    seconds: float = 0.0
    step_started: float = 0.0
    """When the current step began, on the CPU clock of the event loop's thread."""


_METER: Final[ContextVar[CpuMeter | None]] = ContextVar("meter", default=None)


class _Steps(Generic[T]):
    """A coroutine whose steps are measured."""

    def __init__(self, work: Coroutine[Any, Any, T], meter: CpuMeter) -> None:
        self._work = work
        self._meter = meter

    def __await__(self) -> Generator[Any, Any, T]:
        error: BaseException | None = None
        while True:
            self._meter.step_started = thread_time()
            try:
                waits_for = self._work.send(None) if error is None else self._work.throw(error)
            except StopIteration as done:
                result: T = done.value
                return result
            finally:
                self._meter.seconds += thread_time() - self._meter.step_started
            error = None
            try:
                yield waits_for
            except BaseException as raised:  # noqa: BLE001 - the coroutine handles it, a cancellation included
                error = raised


async def metered(work: Coroutine[Any, Any, T], meter: CpuMeter) -> T:
    """Run a reconciliation, and measure its CPU time."""
    token = _METER.set(meter)
    try:
        return await _Steps(work, meter)
    finally:
        _METER.reset(token)


async def counted(work: Coroutine[Any, Any, T]) -> T:
    """Run a task that a reconciliation has started, and add its CPU time to that of the reconciliation."""
    meter = _METER.get()
    return await (work if meter is None else _Steps(work, meter))


def charge(seconds: float) -> None:
    """Add seconds to the CPU time of the running reconciliation."""
    if (meter := _METER.get()) is not None:
        meter.seconds += seconds


async def give_way() -> None:
    """Yield the event loop to other tasks, if this reconciliation has held it for `SLICE_SECONDS`."""
    meter = _METER.get()
    if meter is not None and thread_time() - meter.step_started >= SLICE_SECONDS:
        await asyncio.sleep(0)


async def paced(steps: Iterable[T]) -> list[T]:
    """Return all items of an iterator, and give way to other tasks after each."""
    done: list[T] = []
    for each in steps:
        done.append(each)
        await give_way()
    return done


class ThreadOffload:
    """Runs long work in a thread, so that it does not hold the event loop; one work at a time in the process.

    Work of medium length runs on the loop, also one at a time: other tasks run between two of them.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Semaphore(1)

    async def run(self, size: int, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run work whose input has `size` characters. Its CPU time is that of the running reconciliation."""
        if size <= AT_ONCE_SIZE:
            return work(*arguments, **named)
        if size <= ASIDE_SIZE:
            async with self._lock:
                await asyncio.sleep(0)
                return work(*arguments, **named)

        def timed() -> tuple[T, float]:
            started = thread_time()
            return work(*arguments, **named), thread_time() - started

        async with self._lock:
            result, seconds = await asyncio.to_thread(timed)
        charge(seconds)
        return result
