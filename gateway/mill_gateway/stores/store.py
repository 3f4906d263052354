"""Cache of one kind of object, with subscriptions to its changes: the same code for every kind."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mill_gateway.stores.subscriptions import Subscriptions
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector, Selection, Stored
from mill_kube.resources import Resource
from mill_objects.fields import identity
from mill_objects.json import JsonView
from mill_objects.key import Key

T = TypeVar("T", bound=Stored)

Listener = Callable[[T | None, T | None], None]
"""Called after each change of the store with the old and the new projection, either of them None. Must not block."""


def _namespace(each: Stored) -> Hashable:
    return each.key.namespace


def _key(each: Stored) -> Iterable[Hashable]:
    return (each.key,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """Declaration of what a store caches, and how its objects are found."""

    resource: Resource
    project: Callable[[JsonView], T]
    """The projection. Raises `Unreadable`."""
    group: Callable[[T], Hashable] = _namespace
    """The group of an object for `in_group`: its namespace, unless declared otherwise."""
    topics: Callable[[T], Iterable[Hashable]] = _key
    """The key by which subscribers are notified: the object's, unless declared otherwise."""
    labels: str | None = None
    """Label selector."""
    fields: str | None = None
    """Field selector."""


class Store(Generic[T]):
    """Cache of one kind."""

    def __init__(
        self, client: KubeClient, kind: Kind[T], namespace: str | None = None, listener: Listener[T] | None = None
    ) -> None:
        """`namespace` is the only one whose objects are cached; None: all."""
        self._topics = kind.topics
        self._listener = listener
        self.reflector: Reflector[T] = Reflector(
            client,
            kind.resource,
            project=kind.project,
            on_change=self._changed,
            group=kind.group,
            selection=Selection(namespace, kind.labels, kind.fields),
        )
        self.subscriptions: Subscriptions[Hashable] = Subscriptions()

    def get(self, key: Key) -> T | None:
        """Return an object."""
        return self.reflector.get(key)

    def all(self) -> list[T]:
        """Return all objects, by namespace and name."""
        return sorted(self.reflector.all(), key=_by_key)

    def in_group(self, group: Hashable) -> list[T]:
        """Return the objects of a group, by namespace and name."""
        return sorted(self.reflector.in_group(group), key=_by_key)

    def groups(self) -> list[Hashable]:
        """Return the groups that have objects, in no particular order."""
        return list(self.reflector.groups())

    def has_group(self, group: Hashable) -> bool:
        """Whether a group has objects."""
        return group in self.reflector.groups()

    def put(self, body: dict[str, Any]) -> T:
        """Add the answer to a write of this gateway, so that the next reader need not wait for the watch.

        For the watch a new object will not be new any more, so listener and subscribers are notified here.
        Raises `Unreadable`.
        """
        before = self.get(identity(body).key)
        added = self.reflector.put(body)
        if before is None and self.get(added.key) is added:
            self._changed(None, added)
        return added

    def _changed(self, old: T | None, new: T | None) -> None:
        if self._listener is not None:
            self._listener(old, new)
        for topic in {topic for each in (old, new) if each is not None for topic in self._topics(each)}:
            self.subscriptions.notify(topic)


def _by_key(each: Stored) -> Key:
    return each.key
