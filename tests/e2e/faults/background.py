"""Run something asynchronous beside a test that is not."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

TLS_GOODBYE_SECONDS = 0.25
"""What aiohttp needs to end encrypted connections after a session is closed; they would be reported as leaks."""


@contextlib.contextmanager
def beside(work: Coroutine[Any, Any, None]) -> Iterator[asyncio.AbstractEventLoop]:
    """Run a coroutine on a loop and in a thread of its own until the block ends; what it raises is raised then."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        task = loop.create_task(work)

        def run() -> None:
            with contextlib.suppress(asyncio.CancelledError, Exception):  # kept in the task
                loop.run_until_complete(task)
            loop.run_until_complete(asyncio.sleep(TLS_GOODBYE_SECONDS))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield loop
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join()
    if not task.cancelled():
        task.result()
