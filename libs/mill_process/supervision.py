"""Tasks that a process needs: when one ends without being canceled by its owner, the process exits.

A watch or timer that ends unnoticed would leave a process that seems healthy and does nothing. Kubernetes restarts a
process that exits.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeAlias

log = logging.getLogger(__name__)

GiveUp: TypeAlias = Callable[[str], None]
"""Called in the event loop with the reason why the process must exit. It must return at once."""


def supervised(
    work: Coroutine[Any, Any, None], name: str, give_up: GiveUp, *, may_return: bool = False
) -> asyncio.Task[None]:
    """Start a task. If it raises, or returns although it may not, log that and call `give_up`.

    To end the task, cancel it. `name` is its name in the log.
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(partial(_ended, give_up, may_return))
    return task


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


def _ended(give_up: GiveUp, may_return: bool, task: asyncio.Task[None]) -> None:  # noqa: FBT001 - of a partial
    name, canceled = task.get_name(), task.cancelling() > 0
    if task.cancelled():
        if canceled:
            return
        log.error("%s: it was canceled by another task than the one that started it", name)
    elif (error := task.exception()) is not None:
        log.error("%s: unexpected error", name, exc_info=error)
    elif canceled or may_return:
        return
    else:
        log.error("%s: it has ended, and should not have", name)
    give_up(f"{name} has ended")
