"""The cache expires its entries, and loads each once for all callers."""

import asyncio
import gc
from typing import Any

import pytest

from mill_gateway.access.ttl_cache import TTLCache


class Clock:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """Answers, and counts how often it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.times = 0

    async def __call__(self) -> Any:
        self.times += 1
        await asyncio.sleep(0)
        answer = self.answers[min(self.times, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_value_lasts_for_its_own_time() -> None:
    clock, ask = Clock(), Asked("yes", "no")
    cache: TTLCache[str, str] = TTLCache(lambda answer: 10 if answer == "yes" else 3, clock=clock)
    assert await cache.get("q", ask) == "yes"
    clock.now += 9.9
    assert (await cache.get("q", ask), ask.times) == ("yes", 1)
    clock.now += 0.2
    assert (await cache.get("q", ask), ask.times) == ("no", 2)
    clock.now += 3.1
    await cache.get("q", ask)
    assert ask.times == 3


async def test_concurrent_callers_share_a_load() -> None:
    ask = Asked("yes")
    cache: TTLCache[str, str] = TTLCache(lambda _: 10)
    assert set(await asyncio.gather(*(cache.get("q", ask) for _ in range(20)))) == {"yes"}
    assert ask.times == 1


async def test_a_canceled_caller_does_not_cancel_the_load() -> None:
    ask = Asked("yes")
    cache: TTLCache[str, str] = TTLCache(lambda _: 10)
    first = asyncio.create_task(cache.get("q", ask))
    second = asyncio.create_task(cache.get("q", ask))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second, ask.times) == ("yes", 1)


async def test_a_failure_is_raised_and_not_cached() -> None:
    ask = Asked(RuntimeError("away"), "yes")
    cache: TTLCache[str, str] = TTLCache(lambda _: 10)
    with pytest.raises(RuntimeError):
        await cache.get("q", ask)
    assert await cache.get("q", ask) == "yes"


async def test_it_keeps_a_limited_number() -> None:
    cache: TTLCache[int, str] = TTLCache(lambda _: 10, most=5)
    for number in range(50):
        await cache.get(number, Asked("yes"))
    assert len(cache) == 5


async def test_a_flood_of_other_keys_does_not_evict_a_used_one() -> None:
    ask = Asked("yes")
    cache: TTLCache[object, str] = TTLCache(lambda _: 10, most=5)
    for number in range(50):
        await cache.get("in use", ask)
        await cache.get(number, Asked("no"))
    assert ask.times == 1


async def test_a_failure_without_a_waiting_caller_is_not_logged() -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    cache: TTLCache[str, str] = TTLCache(lambda _: 10)
    waiting = asyncio.create_task(cache.get("q", Asked(RuntimeError("away"))))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0.01)
    gc.collect()
    assert complaints == []
