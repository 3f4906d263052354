"""The work queue has the guarantees of client-go's."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from mill_operator.work_queue import FIRST_BACKOFF, LAST_BACKOFF, SPARE_TIMES, QueueClosed, WorkQueue

SOON = 0.01
LONG = 60.0


@pytest.fixture
async def queue() -> AsyncIterator[WorkQueue[str]]:
    made: WorkQueue[str] = WorkQueue()
    timers = asyncio.create_task(made.run_timers())
    yield made
    timers.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await timers


async def take(queue: WorkQueue[str]) -> str:
    return await asyncio.wait_for(queue.get(), 1)


async def is_idle(queue: WorkQueue[str]) -> bool:
    try:
        await asyncio.wait_for(queue.get(), SOON)
    except TimeoutError:
        return True
    return False


async def test_keys_come_in_the_order_in_which_they_were_added(queue):
    for key in "abc":
        queue.add(key)
    assert [await take(queue) for _ in range(3)] == ["a", "b", "c"]


async def test_adds_of_a_waiting_key_are_one(queue):
    for _ in range(3):
        queue.add("a")
    assert len(queue) == 1
    await take(queue)
    queue.done("a")
    assert await is_idle(queue)


async def test_a_key_is_never_worked_on_twice_at_once(queue):
    queue.add("a")
    await take(queue)
    queue.add("a")
    assert await is_idle(queue)


async def test_a_key_added_in_progress_comes_once_more_when_it_is_done(queue):
    queue.add("a")
    await take(queue)
    queue.add("a")
    queue.add("a")
    queue.done("a")
    assert await take(queue) == "a"
    queue.done("a")
    assert await is_idle(queue)


async def test_another_key_is_not_held_up_by_one_that_is_worked_on(queue):
    queue.add("a")
    await take(queue)
    queue.add("a")
    queue.add("b")
    assert await take(queue) == "b"


async def test_many_workers_never_share_a_key(queue):
    working: set[str] = set()
    passes = 0

    async def work() -> None:
        nonlocal passes
        while True:
            key = await queue.get()
            assert key not in working
            working.add(key)
            await asyncio.sleep(0)
            if passes < 200:
                queue.add(key)
            passes += 1
            working.discard(key)
            queue.done(key)

    workers = [asyncio.create_task(work()) for _ in range(5)]
    for key in "abc":
        queue.add(key)
    for _ in range(2000):
        await asyncio.sleep(0)
    assert not any(worker.done() for worker in workers)
    assert passes >= 200
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def test_a_worker_cancelled_while_waiting_loses_no_key(queue):
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    waiting.cancel()
    queue.add("a")
    await asyncio.gather(waiting, return_exceptions=True)
    assert await take(queue) == "a"


async def test_a_key_added_for_later_comes_later(queue):
    queue.add_after("a", SOON)
    assert len(queue) == 0
    assert await take(queue) == "a"


async def test_later_than_now_means_at_once_if_the_time_has_passed(queue):
    queue.add_after("a", -1)
    assert len(queue) == 1


@pytest.mark.parametrize("delays", [(LONG, SOON), (SOON, LONG)])
async def test_the_earliest_time_of_a_key_counts(queue, delays):
    for delay in delays:
        queue.add_after("a", delay)
    assert await take(queue) == "a"


async def test_an_earlier_time_takes_the_place_of_a_later_one(queue):
    queue.add_after("a", 2 * SOON)
    queue.add_after("a", SOON)
    await take(queue)
    queue.done("a")
    await asyncio.sleep(3 * SOON)
    assert len(queue) == 0


async def test_times_of_many_keys_come_in_order(queue):
    for key, delay in {"c": 3 * SOON, "a": SOON, "b": 2 * SOON}.items():
        queue.add_after(key, delay)
    assert [await take(queue) for _ in range(3)] == ["a", "b", "c"]


async def test_a_failing_key_waits_twice_as_long_each_time_up_to_a_limit(queue):
    delays = [queue.retry("a") for _ in range(40)]
    assert delays[:4] == [FIRST_BACKOFF, 2 * FIRST_BACKOFF, 4 * FIRST_BACKOFF, 8 * FIRST_BACKOFF]
    assert delays == sorted(delays)
    assert delays[-1] == LAST_BACKOFF


async def test_a_forgotten_key_starts_with_the_first_back_off(queue):
    for _ in range(5):
        queue.retry("a")
    queue.forget("a")
    assert queue.retry("a") == FIRST_BACKOFF


async def test_keys_fail_independently(queue):
    queue.retry("a")
    assert queue.retry("b") == FIRST_BACKOFF


async def test_an_event_cuts_a_back_off_short(queue):
    queue.retry("a")
    queue.add("a")
    assert len(queue) == 1


async def test_a_key_in_progress_has_the_time_at_which_it_was_added(queue):
    before = time.monotonic()
    queue.add("a")
    after = time.monotonic()
    await asyncio.sleep(SOON)
    queue.add("a")  # the first time counts
    await take(queue)
    assert before <= queue.added_at("a") <= after


async def test_a_closed_queue_returns_no_key(queue):
    waiting = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [QueueClosed] * 3
    with pytest.raises(QueueClosed):
        await queue.get()


async def test_a_closed_queue_drops_waiting_keys(queue):
    queue.add("a")
    await take(queue)
    for key in "ab":
        queue.add(key)
    queue.close()
    queue.done("a")
    queue.add("c")
    for _ in range(2):
        with pytest.raises(QueueClosed):
            await queue.get()


async def test_a_resting_key_comes_after_its_rest_and_others_at_once(queue):
    queue.add("a")
    await take(queue)
    queue.add("a")
    queue.done("a", rest=3 * SOON)
    queue.add("b")
    queue.add("a")
    assert await take(queue) == "b"
    assert await is_idle(queue)
    before = time.monotonic()
    assert await take(queue) == "a"
    assert time.monotonic() - before < 1
    queue.done("a")
    assert await is_idle(queue), "what was added while it rested is one"


async def test_a_key_that_rests_when_the_queue_is_closed_does_not_come(queue):
    queue.add("a")
    await take(queue)
    queue.add("a")
    queue.done("a", rest=SOON)
    queue.close()
    await asyncio.sleep(2 * SOON)
    with pytest.raises(QueueClosed):
        await queue.get()


async def test_times_that_earlier_ones_replaced_are_not_kept_for_ever(queue):
    for number in range(10_000):
        queue.add_after("a", LONG - number / 1000)
    queue.add_after("b", LONG)
    assert len(queue._later) <= SPARE_TIMES + 4
    queue.add_after("a", SOON)
    assert await take(queue) == "a"
