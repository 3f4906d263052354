"""Tasks that a process cannot do without: when one ends that nobody has told to end, the process gives up.

A watch or timer that ends unnoticed leaves a process that looks well and does nothing. One that ends is started anew.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeAlias

log = logging.getLogger(__name__)

GiveUp: TypeAlias = Callable[[str], None]
"""Told why the process cannot go on. It is called within the event loop, and must return at once."""


def supervised(
    work: Coroutine[Any, Any, None], name: str, give_up: GiveUp, *, may_return: bool = False
) -> asyncio.Task[None]:
    """Start a task. If it ends by an error, or by returning where it may not, that is logged, and `give_up` is called.

    Cancelling it is how it is told to end. `name` says in the log what it is.
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(partial(_ended, give_up, may_return))
    return task


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Tell tasks to end, and wait until they have."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


def _ended(give_up: GiveUp, may_return: bool, task: asyncio.Task[None]) -> None:  # noqa: FBT001 - of a partial
    name, told = task.get_name(), task.cancelling() > 0
    if task.cancelled():
        if told:
            return
        log.error("%s: it was cancelled, and not by who started it", name)
    elif (error := task.exception()) is not None:
        log.error("%s: unexpected error", name, exc_info=error)
    elif told or may_return:
        return
    else:
        log.error("%s: it has ended, and should not have", name)
    give_up(f"{name} has ended")
