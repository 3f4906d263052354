"""CPU time of a reconciliation: counted wherever it is spent, and yielded to others."""

import asyncio
import threading
from time import thread_time

import pytest

from mill_operator.cpu_time import (
    ASIDE_SIZE,
    AT_ONCE_SIZE,
    SLICE_SECONDS,
    CpuMeter,
    ThreadOffload,
    counted,
    give_way,
    metered,
)


def burn(seconds: float) -> None:
    """Use the processor."""
    end = thread_time() + seconds
    while thread_time() < end:
        pass


async def test_waiting_costs_nothing() -> None:
    async def work() -> str:
        await asyncio.sleep(0.1)
        return "done"

    meter = CpuMeter()
    assert await metered(work(), meter) == "done"
    assert meter.seconds < 0.05


async def test_work_in_tasks_and_threads_is_counted() -> None:
    async def write() -> None:
        await asyncio.sleep(0)
        burn(0.02)

    async def work() -> None:
        burn(0.02)
        await asyncio.gather(*(counted(write()) for _ in range(2)))
        await ThreadOffload().run(ASIDE_SIZE + 1, burn, 0.02)

    meter = CpuMeter()
    await metered(work(), meter)
    assert 0.08 <= meter.seconds < 0.2


async def test_work_of_other_tasks_is_not_counted() -> None:
    async def work() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def others() -> None:
        for _ in range(10):
            burn(0.01)
            await asyncio.sleep(0)

    meter = CpuMeter()
    await asyncio.gather(metered(work(), meter), others())
    assert meter.seconds < 0.05


async def test_errors_and_cancellations_pass_through() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await metered(fail(), CpuMeter())
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("cleared up")

    task = asyncio.create_task(metered(wait(), CpuMeter()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["cleared up"]


async def test_long_work_yields_to_the_loop_and_short_work_does_not() -> None:
    order: list[str] = []

    async def work(seconds: float) -> None:
        burn(seconds)
        await give_way()
        order.append("work")

    async def other() -> None:
        order.append("other")

    await asyncio.gather(metered(work(2 * SLICE_SECONDS), CpuMeter()), other())
    await asyncio.gather(metered(work(0), CpuMeter()), other())
    assert order == ["other", "work", "work", "other"]


@pytest.mark.parametrize(("size", "here"), [(AT_ONCE_SIZE, True), (ASIDE_SIZE, True), (ASIDE_SIZE + 1, False)])
async def test_only_large_inputs_are_processed_in_a_thread(size: int, here: bool) -> None:
    assert (await ThreadOffload().run(size, threading.get_ident) == threading.get_ident()) is here


async def test_one_at_a_time() -> None:
    at_once, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        burn(0.005)
        with lock:
            at_once -= 1

    offload = ThreadOffload()
    await asyncio.gather(*(offload.run(ASIDE_SIZE + 1, work) for _ in range(5)))
    assert most == 1
