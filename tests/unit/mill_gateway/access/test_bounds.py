"""Limits of concurrent reviews, budgets of wrong tokens, and the parts of the cache."""

import asyncio

import pytest

from mill_gateway.access.concurrency import ConcurrencyLimit, ConcurrencyLimitPerKey, QueueFull
from mill_gateway.access.token_budget import MOST_ADDRESSES, TokenBudget
from mill_gateway.access.ttl_cache import TTLCache


async def _take(limit: ConcurrencyLimit, seen: list[int], ends: asyncio.Event) -> str:
    try:
        async with limit.slot():
            seen.append(limit.users)
            await ends.wait()
    except QueueFull:
        return "busy"
    return "done"


async def test_a_full_queue_refuses() -> None:
    limit, seen, ends = ConcurrencyLimit(2, 3), [], asyncio.Event()
    all_of_them = [asyncio.ensure_future(_take(limit, seen, ends)) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(seen) == 2
    ends.set()
    assert sorted(await asyncio.gather(*all_of_them)) == ["busy"] * 5 + ["done"] * 5
    assert limit.users == 0


async def test_a_canceled_task_holds_no_slot() -> None:
    limit, ends = ConcurrencyLimit(1, 1), asyncio.Event()
    first = asyncio.ensure_future(_take(limit, [], ends))
    await asyncio.sleep(0)
    for _ in range(3):
        waiting = asyncio.ensure_future(_take(limit, [], ends))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    ends.set()
    assert await first == "done"
    assert await _take(limit, [], ends) == "done"
    assert limit.users == 0


async def test_each_key_has_slots_of_its_own_and_leaves_nothing() -> None:
    limit = ConcurrencyLimitPerKey(1, 0)
    async with limit.slot("a"), limit.slot("b"):
        with pytest.raises(QueueFull):
            async with limit.slot("a"):
                pass
        assert len(limit) == 2
    assert len(limit) == 0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_refills_up_to_its_size() -> None:
    clock = Clock()
    budget = TokenBudget(60, clock=clock)
    assert [budget.take("a") for _ in range(61)] == [0] * 60 + [1]
    clock.now += 0.5
    assert budget.take("a") == 0.5
    assert budget.take("b") == 0
    clock.now += 3600
    budget.refund("a")
    assert [budget.take("a") for _ in range(61)] == [0] * 60 + [1]
    budget.refund("a")
    assert budget.take("a") == 0


def test_a_budget_of_zero_is_unlimited() -> None:
    budget = TokenBudget(0)
    assert [budget.take("a") for _ in range(100)] == [0] * 100
    budget.refund("a")
    assert len(budget) == 0


def test_the_least_recent_addresses_are_forgotten() -> None:
    budget = TokenBudget(10)
    for each in range(MOST_ADDRESSES * 2):
        budget.take(str(each))
    assert len(budget) == MOST_ADDRESSES


async def test_cheap_values_evict_only_their_own_kind() -> None:
    cache: TTLCache[object, bool] = TTLCache(lambda _: 10, cheap=lambda answer: not answer, most=5)

    async def yes() -> bool:
        return True

    async def no() -> bool:
        return False

    assert await cache.get("good", yes)
    for each in range(50):
        assert not await cache.get(each, no)
    assert await cache.get("good", no), "it is cached"
    assert len(cache) == 6


async def test_the_last_valuable_value_stays_until_a_cheap_one_replaces_it() -> None:
    clock = Clock()
    cache: TTLCache[str, str] = TTLCache(lambda _: 10, cheap=lambda answer: answer == "no", clock=clock)

    async def answer(text: str) -> str:
        return text

    assert cache.last_valuable("q") is None
    await cache.get("q", lambda: answer("yes"))
    clock.now += 100
    assert cache.last_valuable("q") == "yes"
    await cache.get("q", lambda: answer("no"))
    assert cache.last_valuable("q") is None
    assert await cache.get("q", lambda: answer("yes")) == "no"
