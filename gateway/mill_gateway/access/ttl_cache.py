"""Answers that are remembered for a short time; a question that is being asked already is not asked again."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Clock = Callable[[], float]


class Remembered(Generic[K, V]):
    """Answers by question: so many at most, those that were used last, each for as long as `lasts` says.

    Those that are `cheap` to make up, such as that a token is nobody's, are kept apart, so that a flood of them pushes
    out none of the others.
    """

    def __init__(
        self,
        lasts: Callable[[V], float],
        *,
        cheap: Callable[[V], bool] = lambda _: False,
        most: int = 4096,
        clock: Clock = time.monotonic,
    ) -> None:
        self._lasts = lasts
        self._cheap = cheap
        self._most = most
        self._clock = clock
        self._dear: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._others: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asked: dict[K, asyncio.Task[V]] = {}

    async def answer(self, question: K, ask: Callable[[], Awaitable[V]]) -> V:
        """Return the answer that is remembered, or ask. What goes wrong is not remembered."""
        for answers in (self._dear, self._others):
            known = answers.get(question)
            if known is not None and known[0] > self._clock():
                # To the end, so that a flood of questions which nobody repeats does not push out what is in use.
                answers.move_to_end(question)
                return known[1]
        task = self._asked.get(question)
        if task is None:
            task = asyncio.ensure_future(self._ask(question, ask))
            self._asked[question] = task
            task.add_done_callback(lambda done: self._answered(question, done))
        # Who leaves does not take the answer from those who wait for the same.
        return await asyncio.shield(task)

    def last(self, question: K) -> V | None:
        """Return the last answer that is not cheap, even if it is too old to count."""
        known = self._dear.get(question)
        return None if known is None else known[1]

    async def _ask(self, question: K, ask: Callable[[], Awaitable[V]]) -> V:
        answer = await ask()
        answers, stale = (self._others, self._dear) if self._cheap(answer) else (self._dear, self._others)
        stale.pop(question, None)
        answers[question] = (self._clock() + self._lasts(answer), answer)
        answers.move_to_end(question)
        while len(answers) > self._most:
            answers.popitem(last=False)
        return answer

    def _answered(self, question: K, task: asyncio.Task[V]) -> None:
        self._asked.pop(question, None)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain when all who waited have gone

    def __len__(self) -> int:
        """Return how many answers are kept."""
        return len(self._dear) + len(self._others)
