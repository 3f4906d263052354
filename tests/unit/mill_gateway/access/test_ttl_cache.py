"""Answers are remembered for a short time, and nothing is asked twice at once."""

import asyncio
import gc
from typing import Any

import pytest

from mill_gateway.access.ttl_cache import Remembered


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


async def test_an_answer_lasts_as_long_as_it_says() -> None:
    clock, ask = Clock(), Asked("yes", "no")
    remembered: Remembered[str, str] = Remembered(lambda answer: 10 if answer == "yes" else 3, clock=clock)
    assert await remembered.answer("q", ask) == "yes"
    clock.now += 9.9
    assert (await remembered.answer("q", ask), ask.times) == ("yes", 1)
    clock.now += 0.2
    assert (await remembered.answer("q", ask), ask.times) == ("no", 2)
    clock.now += 3.1
    await remembered.answer("q", ask)
    assert ask.times == 3


async def test_who_asks_at_once_asks_once() -> None:
    ask = Asked("yes")
    remembered: Remembered[str, str] = Remembered(lambda _: 10)
    assert set(await asyncio.gather(*(remembered.answer("q", ask) for _ in range(20)))) == {"yes"}
    assert ask.times == 1


async def test_who_leaves_does_not_take_the_answer_from_others() -> None:
    ask = Asked("yes")
    remembered: Remembered[str, str] = Remembered(lambda _: 10)
    first = asyncio.create_task(remembered.answer("q", ask))
    second = asyncio.create_task(remembered.answer("q", ask))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second, ask.times) == ("yes", 1)


async def test_a_failure_is_told_and_not_remembered() -> None:
    ask = Asked(RuntimeError("away"), "yes")
    remembered: Remembered[str, str] = Remembered(lambda _: 10)
    with pytest.raises(RuntimeError):
        await remembered.answer("q", ask)
    assert await remembered.answer("q", ask) == "yes"


async def test_it_keeps_so_many_and_no_more() -> None:
    remembered: Remembered[int, str] = Remembered(lambda _: 10, most=5)
    for number in range(50):
        await remembered.answer(number, Asked("yes"))
    assert len(remembered) == 5


async def test_a_flood_of_other_questions_does_not_push_out_what_is_in_use() -> None:
    ask = Asked("yes")
    remembered: Remembered[object, str] = Remembered(lambda _: 10, most=5)
    for number in range(50):
        await remembered.answer("in use", ask)
        await remembered.answer(number, Asked("no"))
    assert ask.times == 1


async def test_a_failure_that_nobody_waits_for_any_more_is_no_complaint() -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    remembered: Remembered[str, str] = Remembered(lambda _: 10)
    waiting = asyncio.create_task(remembered.answer("q", Asked(RuntimeError("away"))))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0.01)
    gc.collect()
    assert complaints == []
