"""List, watch, remember: a local view of one kind that is never wrong for long, and says when it changes.

The same idea as client-go's reflector and informer. What kopf's own watching lacks is here: after an expired watch
the new list is compared with the store, so that what was deleted in the gap is reported as deleted.

What cannot be read costs nothing but itself: it is left out, as if it were not there, and counted.
"""

import asyncio
import logging
import math
import time
import traceback
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NoReturn, Protocol, TypeVar

from mill_kube.backoff import SHORT, Backoff
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Expired, KubeError, Unreachable, WatchStalled
from mill_kube.resource_versions import is_newer
from mill_kube.resources import Resource
from mill_objects.fields import Unreadable, mapping, mappings, text
from mill_objects.json import Json
from mill_objects.key import Key

log = logging.getLogger(__name__)

PAGE = 500
"""Objects that are asked for at once: as JSON they take many times the memory of what is kept of them."""


class Stored(Protocol):
    """The metadata that every projection keeps."""

    @property
    def key(self) -> Key: ...
    @property
    def resource_version(self) -> str: ...


T = TypeVar("T", bound=Stored)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a kind are cached."""

    namespace: str | None = None
    """None: all namespaces."""
    labels: str | None = None
    """A label selector."""
    fields: str | None = None
    """A field selector."""
    page: int = PAGE
    """Objects listed in one request."""
    metadata_only: bool = False
    """Whether the projection needs nothing but the metadata: then nothing else is transferred."""


EVERYTHING = Selection()


class Reflector(Generic[T]):
    """Cache of the objects of one kind, as projections, by key and by group; kept by list and watch.

    `project` returns what is kept of an object; one for which it raises is left out. `group` returns the group it
    belongs to (None: to none). `on_change` is called with the old and the new projection, either of them None, after
    the cache has changed; it must not block.
    """

    def __init__(
        self,
        client: KubeClient,
        resource: Resource,
        *,
        project: Callable[[Json], T],
        on_change: Callable[[T | None, T | None], None],
        group: Callable[[T], Hashable | None] = lambda _: None,
        selection: Selection = EVERYTHING,
    ) -> None:
        self._client = client
        self._resource = resource
        self._project = project
        self._on_change = on_change
        self._group = group
        self._selection = selection
        self._objects: dict[Key, T] = {}
        self._groups: dict[Hashable, dict[Key, T]] = {}
        self._unreadable: set[Key] = set()
        """Keys of objects that are left out."""
        self._version: str | None = None
        """The resource version of the newest event."""
        self.synced = asyncio.Event()
        """Set once the first list is complete."""
        self.last_heard = time.monotonic()
        """When the server last sent anything, a bookmark included; the liveness probe looks at it."""
        self.restarts = 0
        """Number of repeated lists."""

    @property
    def resource(self) -> Resource:
        """The kind that it caches."""
        return self._resource

    @property
    def unreadable(self) -> int:
        """Number of objects that are left out, since they cannot be read."""
        return len(self._unreadable)

    def get(self, key: Key) -> T | None:
        """Return the projection of an object."""
        return self._objects.get(key)

    def in_group(self, group: Hashable) -> list[T]:
        """Return the projections of a group, in no particular order."""
        return list(self._groups.get(group, {}).values())

    def groups(self) -> Collection[Hashable]:
        """Return the groups that have objects, in no particular order."""
        return self._groups.keys()

    def all(self) -> Iterable[T]:
        """Return all projections."""
        return self._objects.values()

    def put(self, body: Json) -> T:
        """Add the answer to our own write to the cache, so that the next reader sees it. Does not notify.

        A late answer changes nothing: what the watch has reported meanwhile is newer, also a deletion.
        Raises `Unreadable` for one that cannot be read; what the store has of the object stays.
        """
        new = self._read(body)
        if new is None:
            raise Unreadable("the API server's answer cannot be read: the log says more")
        old = self._objects.get(new.key)
        if old is not None and not is_newer(new.resource_version, old.resource_version):
            return old
        if old is not None or self._version is None or is_newer(new.resource_version, self._version):
            self._store(new)
        return new

    async def run(self) -> NoReturn:
        """Follow the server until canceled, through every failure."""
        backoff = Backoff()
        while True:
            opened = math.inf
            try:
                version = await self._list()
                backoff.listed()
                while True:
                    opened = time.monotonic()
                    version = await self._watch(version)
                    backoff.watched(worked=self._worked(opened))
                    await backoff.pause()
            except (Expired, WatchStalled) as error:
                backoff.watched(worked=self._worked(opened, error))
                log.debug("watch of %s: %s; listing again", self._resource.plural, error)
            except KubeError as error:
                backoff.failed(worked=self._worked(opened, error))
                level = logging.ERROR if isinstance(error, ApiError) else logging.WARNING
                log.log(level, "watch of %s: %s", self._resource.plural, error)
            self.restarts += 1
            await backoff.pause()

    def _worked(self, opened: float, error: KubeError | None = None) -> bool:
        """Whether a watch that was opened then has brought anything, or has lasted: not so a refusal that came late."""
        lasted = time.monotonic() - opened >= SHORT and not isinstance(error, ApiError)
        return lasted or self.last_heard > opened

    async def _list(self) -> str:
        new: dict[Key, T] = {}
        unread: set[Key] = set()
        after: str | None = None
        chosen = self._selection
        while True:
            page = await self._client.list(
                self._resource,
                chosen.namespace,
                labels=chosen.labels,
                fields=chosen.fields,
                limit=chosen.page,
                after=after,
                metadata_only=chosen.metadata_only,
            )
            self.last_heard = time.monotonic()
            for body in mappings(page, "items"):
                if (item := self._read(body)) is not None:
                    new[item.key] = item
                else:
                    unread.add(_key(body))
            after = text(mapping(page, "metadata"), "continue")
            if not after:
                break
        version = text(mapping(page, "metadata"), "resourceVersion")
        if not version:
            raise Unreachable("a list without a resource version")
        self._unreadable &= unread
        # What we learned from our own write while the list was on its way is not gone: it is not in it yet.
        missing = [old for key, old in self._objects.items() if key not in new]
        for gone in [old for old in missing if not is_newer(old.resource_version, version)]:
            self._gone(gone)
        for item in new.values():
            self._change(item)
        self._version = version
        self.synced.set()
        return version

    async def _watch(self, version: str) -> str:
        """Follow one watch to its end and return where it ended."""
        chosen = self._selection
        events = self._client.watch(
            self._resource,
            chosen.namespace,
            resource_version=version,
            labels=chosen.labels,
            fields=chosen.fields,
            metadata_only=chosen.metadata_only,
        )
        async for event in events:
            self.last_heard = time.monotonic()
            body = event["object"]
            reported = text(mapping(body, "metadata"), "resourceVersion")
            version = self._version = reported or version
            if event["type"] == "BOOKMARK":
                continue
            new = self._read(body)
            if event["type"] == "DELETED":
                self._unreadable.discard(_key(body))
                self._gone(new or self._objects.get(_key(body)))
            elif new is not None:
                self._change(new)
            else:
                self._leave_out(_key(body), reported)
        return version

    def _read(self, body: Json) -> T | None:
        """Return an object's projection, or None if it cannot be read, which is counted, and logged the first time."""
        key = _key(body)
        try:
            new = self._project(body)
        except Exception as error:  # noqa: BLE001 - any error must leave out this object alone
            if key not in self._unreadable:
                self._unreadable.add(key)
                cause, plural = _cause(error), self._resource.plural
                log.warning("watch of %s: %.320a cannot be read, and is left out: %s", plural, str(key), cause)
            return None
        self._unreadable.discard(key)
        return new

    def _leave_out(self, key: Key, version: str) -> None:
        """Drop what is known of an object that cannot be read any more, unless that is newer."""
        old = self._objects.get(key)
        if old is not None and (not version or is_newer(version, old.resource_version)):
            self._gone(old)

    def _gone(self, old: T | None) -> None:
        if old is not None:
            self._drop(old.key)
            self._on_change(old, None)

    def _change(self, new: T) -> None:
        old = self._objects.get(new.key)
        if old is not None and not is_newer(new.resource_version, old.resource_version):
            new = old  # what we learned from our own write is newer, or the same; still tell who waits for it
        self._store(new)
        self._on_change(old, new)

    def _store(self, new: T) -> None:
        self._drop(new.key)
        self._objects[new.key] = new
        if (group := self._group(new)) is not None:
            self._groups.setdefault(group, {})[new.key] = new

    def _drop(self, key: Key) -> None:
        if (old := self._objects.pop(key, None)) is not None and (group := self._group(old)) is not None:
            members = self._groups[group]
            del members[key]
            if not members:
                del self._groups[group]


def _key(body: object) -> Key:
    """Return the name of an object, as far as it has one."""
    meta = mapping(body, "metadata")
    return Key(text(meta, "namespace"), text(meta, "name"))


def _cause(error: Exception) -> str:
    """Describe an error without text of the object: the message of Mill's own errors, the place of others."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}"
    return str(error) if isinstance(error, Unreadable) else place
