"""A task that ends unexpectedly ends the process; one that was stopped does not."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mill_process.supervision import end, supervised

Work = Callable[[], Coroutine[Any, Any, None]]


async def fails() -> None:
    raise KeyError("metadata")


async def returns() -> None:
    pass


async def waits() -> None:
    await asyncio.Event().wait()


async def is_cancelled_from_inside() -> None:
    """As by a future of a library, which cancels it."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def fails_when_told_to_end() -> None:
    try:
        await waits()
    except asyncio.CancelledError:
        raise OSError("cannot let go") from None


@pytest.mark.parametrize(
    ("work", "logged"),
    [
        (fails, "the watch: unexpected error"),
        (returns, "the watch: it has ended, and should not have"),
        (is_cancelled_from_inside, "the watch: it was canceled by another task than the one that started it"),
    ],
)
async def test_it_gives_up_once_with_the_error_in_the_log(
    caplog: pytest.LogCaptureFixture, work: Work, logged: str
) -> None:
    reasons: list[str] = []
    task = supervised(work(), "the watch", reasons.append)
    await asyncio.wait([task])
    await asyncio.sleep(0)
    await end([task])
    assert reasons == ["the watch has ended"]
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [("ERROR", logged)]
    assert (caplog.records[0].exc_info is not None) == (work is fails)


@pytest.mark.parametrize(("work", "may_return"), [(waits, False), (returns, True), (waits, True)])
async def test_an_expected_end_is_no_failure(caplog: pytest.LogCaptureFixture, work: Work, *, may_return: bool) -> None:
    reasons: list[str] = []
    task = supervised(work(), "the watch", reasons.append, may_return=may_return)
    await asyncio.sleep(0.01)
    await end([task])
    assert (reasons, caplog.records) == ([], [])


async def test_an_error_at_its_end_is_one() -> None:
    reasons: list[str] = []
    task = supervised(fails_when_told_to_end(), "the watch", reasons.append)
    await asyncio.sleep(0.01)
    await end([task])
    assert reasons == ["the watch has ended"]
