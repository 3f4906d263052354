"""The history of the in-memory API server, and the watches that follow it."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from mill_kube.connection import METADATA, Request
from mill_kube.errors import Expired
from mill_kube.resources import Resource
from mill_objects.json import Json
from tests.support.apiserver.copies import copied, metadata_alone
from tests.support.apiserver.selectors import is_selected


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the history: an object before and after; a bookmark has neither."""

    version: int
    resource: Resource | None
    before: Json | None
    after: Json | None

    def event(self, watched: Request) -> Json | None:
        """Return the event of a watch, or None for a change of other objects."""
        kind = watched.resource
        if self.resource is None:
            meta = {"resourceVersion": str(self.version), "creationTimestamp": None}
            return {"type": "BOOKMARK", "object": {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta}}
        if self.resource != kind:
            return None
        before, after = (each is not None and is_selected(each, watched) for each in (self.before, self.after))
        if not before and not after:
            return None
        word = "MODIFIED" if before and after else "ADDED" if after else "DELETED"
        body = copied(self.after or self.before or {})
        body["metadata"]["resourceVersion"] = str(self.version)
        return {"type": word, "object": metadata_alone(body) if watched.accept == METADATA else body}


@dataclass
class OpenWatch:
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    error: Exception | None = None


class History:
    """The changes of all objects, in the order of their versions."""

    def __init__(self, oldest: int) -> None:
        self.oldest = oldest
        """The oldest version from which a watch can begin."""
        self._changes: list[Change] = []
        self._watches: list[OpenWatch] = []

    def record(self, change: Change) -> None:
        self._changes.append(change)
        for watch in self._watches:
            watch.changed.set()

    def end_watches(self, error: Exception | None) -> None:
        for watch in self._watches:
            watch.ended, watch.error = True, error
            watch.changed.set()

    async def follow(self, request: Request) -> AsyncGenerator[Json]:
        """Yield the events of a watch. Raise `Expired` if it begins before the history does."""
        version = int(request.query["resourceVersion"] or 0)
        if not version:
            raise NotImplementedError("a watch without a resource version")
        if version < self.oldest:
            raise Expired(410, "Expired", f"too old resource version: {version} ({self.oldest})")
        position = bisect_right(self._changes, version, key=lambda change: change.version)
        watch = OpenWatch()
        self._watches.append(watch)
        try:
            while True:
                while position < len(self._changes):
                    position += 1
                    if event := self._changes[position - 1].event(request):
                        yield event
                if watch.error:
                    raise watch.error
                if watch.ended:
                    return
                watch.changed.clear()
                await watch.changed.wait()
        finally:
            self._watches.remove(watch)
