"""Turns and budgets: so many at once, so many that wait, so many a minute."""

import asyncio

import pytest

from mill_gateway.access.concurrency import Busy, Turns, TurnsOfEach
from mill_gateway.access.token_budget import MOST_ADDRESSES, Budget
from mill_gateway.access.ttl_cache import Remembered


async def _take(turns: Turns, seen: list[int], ends: asyncio.Event) -> str:
    try:
        async with turns.turn():
            seen.append(turns.users)
            await ends.wait()
    except Busy:
        return "busy"
    return "done"


async def test_so_many_have_a_turn_so_many_wait_and_others_are_told() -> None:
    turns, seen, ends = Turns(2, 3), [], asyncio.Event()
    all_of_them = [asyncio.ensure_future(_take(turns, seen, ends)) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(seen) == 2
    ends.set()
    assert sorted(await asyncio.gather(*all_of_them)) == ["busy"] * 5 + ["done"] * 5
    assert turns.users == 0


async def test_who_leaves_while_waiting_takes_no_turn_along() -> None:
    turns, ends = Turns(1, 1), asyncio.Event()
    first = asyncio.ensure_future(_take(turns, [], ends))
    await asyncio.sleep(0)
    for _ in range(3):
        waiting = asyncio.ensure_future(_take(turns, [], ends))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    ends.set()
    assert await first == "done"
    assert await _take(turns, [], ends) == "done"
    assert turns.users == 0


async def test_each_has_turns_of_their_own_and_leaves_nothing() -> None:
    turns = TurnsOfEach(1, 0)
    async with turns.turn("a"), turns.turn("b"):
        with pytest.raises(Busy):
            async with turns.turn("a"):
                pass
        assert len(turns) == 2
    assert len(turns) == 0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_comes_back_with_time_and_never_more_than_all_of_it() -> None:
    clock = Clock()
    budget = Budget(60, clock=clock)
    assert [budget.take("a") for _ in range(61)] == [0] * 60 + [1]
    clock.now += 0.5
    assert budget.take("a") == 0.5
    assert budget.take("b") == 0
    clock.now += 3600
    budget.give_back("a")
    assert [budget.take("a") for _ in range(61)] == [0] * 60 + [1]
    budget.give_back("a")
    assert budget.take("a") == 0


def test_without_a_budget_nothing_is_counted() -> None:
    budget = Budget(0)
    assert [budget.take("a") for _ in range(100)] == [0] * 100
    budget.give_back("a")
    assert len(budget) == 0


def test_so_many_addresses_are_remembered() -> None:
    budget = Budget(10)
    for each in range(MOST_ADDRESSES * 2):
        budget.take(str(each))
    assert len(budget) == MOST_ADDRESSES


async def test_cheap_answers_push_out_their_own_kind_only() -> None:
    remembered: Remembered[object, bool] = Remembered(lambda _: 10, cheap=lambda answer: not answer, most=5)

    async def yes() -> bool:
        return True

    async def no() -> bool:
        return False

    assert await remembered.answer("good", yes)
    for each in range(50):
        assert not await remembered.answer(each, no)
    assert await remembered.answer("good", no), "it is remembered"
    assert len(remembered) == 6


async def test_the_last_good_answer_is_known_until_a_cheap_one_takes_its_place() -> None:
    clock = Clock()
    remembered: Remembered[str, str] = Remembered(lambda _: 10, cheap=lambda answer: answer == "no", clock=clock)

    async def answer(text: str) -> str:
        return text

    assert remembered.last("q") is None
    await remembered.answer("q", lambda: answer("yes"))
    clock.now += 100
    assert remembered.last("q") == "yes"
    await remembered.answer("q", lambda: answer("no"))
    assert remembered.last("q") is None
    assert await remembered.answer("q", lambda: answer("yes")) == "no"
