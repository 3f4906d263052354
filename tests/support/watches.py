"""Scripted lists and watches, also such as no API server sends, for reflectors."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from mill_objects.key import Key


@dataclass(frozen=True)
class Pod:
    key: Key
    resource_version: str
    group: str


class ScriptedServer:
    """Answers lists and watches from a script, in which an exception ends a watch."""

    def __init__(self, lists: list[list[dict[str, Any]]], watches: list[list[Any]]) -> None:
        self._lists = lists
        self._watches = watches
        self.watched_from: list[str] = []
        self.before_list: Callable[[], object] = lambda: None

    async def list(self, *_: Any, limit: int, after: str | None, **__: Any) -> dict[str, Any]:
        self.before_list()
        begin = int(after or 0)
        page, rest = self._lists[0][begin : begin + limit], self._lists[0][begin + limit :]
        if rest:
            return {"items": page, "metadata": {"resourceVersion": "100", "continue": str(begin + limit)}}
        del self._lists[0]
        return {"items": page, "metadata": {"resourceVersion": "100"}}

    async def watch(self, *_: Any, resource_version: str, **__: Any) -> AsyncIterator[dict[str, Any]]:
        self.watched_from.append(resource_version)
        if not self._watches:
            await asyncio.Event().wait()
        for step in self._watches.pop(0):
            if isinstance(step, Exception):
                raise step
            kind, body = step
            yield {"type": kind, "object": body}


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not happen")
