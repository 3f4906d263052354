"""What a pass costs, in seconds of CPU: its own steps on the event loop, those of its writes, and work in threads.

Time that it waits (for the API server, for its turn) costs nothing.
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
"""For how long a pass may hold the event loop where it can be interrupted."""
AT_ONCE_SIZE: Final = 1024
"""Characters of input that take so little that several works of this size may follow each other."""
ASIDE_SIZE: Final = 8 * 1024
"""Characters of input from which on work takes longer than a slice."""


@dataclass(slots=True)
class CpuMeter:
    """Counts for one pass."""

    seconds: float = 0.0
    step_began: float = 0.0
    """When the step that runs now began, on the clock of the event loop's thread."""


_METER: Final[ContextVar[CpuMeter | None]] = ContextVar("meter", default=None)


class _Steps(Generic[T]):
    """A coroutine whose steps are counted."""

    def __init__(self, work: Coroutine[Any, Any, T], meter: CpuMeter) -> None:
        self._work = work
        self._meter = meter

    def __await__(self) -> Generator[Any, Any, T]:
        error: BaseException | None = None
        while True:
            self._meter.step_began = thread_time()
            try:
                waits_for = self._work.send(None) if error is None else self._work.throw(error)
            except StopIteration as done:
                result: T = done.value
                return result
            finally:
                self._meter.seconds += thread_time() - self._meter.step_began
            error = None
            try:
                yield waits_for
            except BaseException as raised:  # noqa: BLE001 - it is the coroutine's, a cancellation included
                error = raised


async def metered(work: Coroutine[Any, Any, T], meter: CpuMeter) -> T:
    """Run a pass, and count what it costs."""
    token = _METER.set(meter)
    try:
        return await _Steps(work, meter)
    finally:
        _METER.reset(token)


async def counted(work: Coroutine[Any, Any, T]) -> T:
    """Run what a pass has put into a task of its own, on the account of the pass."""
    meter = _METER.get()
    return await (work if meter is None else _Steps(work, meter))


def charge(seconds: float) -> None:
    """Add to what the pass costs that runs now."""
    if (meter := _METER.get()) is not None:
        meter.seconds += seconds


async def give_way() -> None:
    """Let others have the event loop, if this pass has held it for a while."""
    meter = _METER.get()
    if meter is not None and thread_time() - meter.step_began >= SLICE_SECONDS:
        await asyncio.sleep(0)


async def paced(steps: Iterable[T]) -> list[T]:
    """Take all steps, and let others have the event loop between them."""
    done: list[T] = []
    for each in steps:
        done.append(each)
        await give_way()
    return done


class ThreadOffload:
    """Does in a thread what would hold the event loop for long; one such work at a time, whoever's it is.

    What takes a moment is done on the loop, one at a time too: others come between two of them.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def run(self, size: int, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Do work whose input has so many characters; a little is done at once. It costs the pass what it takes."""
        if size <= AT_ONCE_SIZE:
            return work(*arguments, **named)
        if size <= ASIDE_SIZE:
            async with self._turn:
                await asyncio.sleep(0)
                return work(*arguments, **named)

        def timed() -> tuple[T, float]:
            began = thread_time()
            return work(*arguments, **named), thread_time() - began

        async with self._turn:
            result, seconds = await asyncio.to_thread(timed)
        charge(seconds)
        return result
