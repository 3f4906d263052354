"""Which Ingress has which route: of those in the cache, and of those that are being written.

It costs what the routes of one Ingress cost, however many there are. One event loop uses it, and nothing in it waits:
of two services that want a route at the same moment exactly one gets it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mill_api import names
from mill_objects.key import Key
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.ingresses import ObservedIngress, Route

_NOT_CREATED = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Holder:
    """An Ingress that has a route, or is being written with it."""

    ingress: Key
    deployment: Key
    """Its MillDeployment."""
    service: str
    ingress_class: str | None
    created: datetime = _NOT_CREATED
    uid: str = ""
    is_orphaned: bool = False
    """Whether no MillDeployment controls it, so that it stays when there is none of that name."""

    def is_rival(self, other: "Holder") -> bool:
        """Return whether one of two with the same route must give way.

        Services of one MillDeployment may hand a route over; that no two have it is a rule of the spec. An Ingress
        without a class may be of any: the cluster's default can change.
        """
        classes = {self.ingress_class, other.ingress_class}
        return self.deployment != other.deployment and (len(classes) == 1 or None in classes)


@dataclass(frozen=True, slots=True)
class Claim:
    """The routes that an Ingress does not have yet, and is to be written with."""

    holder: Holder
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A route that another Ingress has."""

    route: Route
    holder: Holder
    """The oldest Ingress that has it."""


class RouteIndex:
    """The routes of all Ingresses of MillDeployments. It calls `requeue` with MillDeployments that a change concerns.

    `claim` reserves routes for the writes of a MillDeployment, until `release`, or until it claims others. Who does not
    get a route is requeued when it is free.
    """

    def __init__(self, requeue: Callable[[Key], None] = lambda _key: None) -> None:
        self._requeue = requeue
        self._routes: dict[Key, tuple[Holder, tuple[Route, ...]]] = {}
        """The routes of each Ingress in the cache."""
        self._holders: dict[Route, dict[Key, Holder]] = {}
        """By route, then by Ingress."""
        self._claims: dict[Key, tuple[Claim, ...]] = {}
        """What is reserved for the writes of each MillDeployment."""
        self._reserved: dict[Route, dict[Key, Holder]] = {}
        self._waits: dict[Key, frozenset[Route]] = {}
        """The routes that each MillDeployment waits for."""
        self._waiting: dict[Route, dict[Key, None]] = {}
        """The MillDeployments that wait for each route, the first of them first."""

    def update(self, key: Key, child: ObservedChild | None) -> None:
        """Note an Ingress as the cache has it. None: the cache has it no more."""
        holder, routes = _holding(child)
        old, had = self._routes.get(key, (None, ()))
        if (holder, routes) == (old, had):
            return
        self._routes.pop(key, None)
        for each in had:
            _discard(self._holders, each, key)
        if holder is not None:
            self._routes[key] = holder, routes
            for each in routes:
                self._holders.setdefault(each, {})[key] = holder
        is_same_class = holder is not None and old is not None and holder.ingress_class == old.ingress_class
        for each in {*had} - {*routes} if is_same_class else had:
            self._wake(each)
        # One that has shared a route, or shares it from now on, has a warning of that.
        for each in {*had} ^ {*routes}:
            others = [other for ingress, other in self._holders.get(each, {}).items() if ingress != key]
            if len(others) == 1:
                self._requeue(others[0].deployment)

    def holders(self, claim: Claim) -> Iterator[Holder]:
        """Yield the rivals that have routes of a claim, or for which they are reserved."""
        for each in claim.routes:
            yield from self._rivals(each, claim.holder)

    def claim(
        self, deployment: Key, claims: Sequence[Claim], sharing: frozenset[str] = frozenset()
    ) -> Mapping[Key, Conflict]:
        """Reserve routes for the Ingresses of one MillDeployment, in place of those that were reserved for it.

        Return why Ingresses must not be written, by their keys: no route of these is reserved. Namespaces in `sharing`
        permit that routes are shared among them.
        """
        conflicts: dict[Key, Conflict] = {}
        for each in claims:
            if (conflict := self._conflict(each, sharing)) is not None:
                conflicts[each.holder.ingress] = conflict
        self._reserve(deployment, tuple(each for each in claims if each.holder.ingress not in conflicts))
        self._wait(deployment, frozenset(each.route for each in conflicts.values()))
        return conflicts

    def release(self, deployment: Key) -> None:
        """Give the reservations of a MillDeployment up: what was written is in the cache."""
        self._reserve(deployment, ())

    def forget(self, deployment: Key) -> None:
        """Forget what a MillDeployment that is gone has reserved, and waits for."""
        self._reserve(deployment, ())
        self._wait(deployment, frozenset())

    def shared(self, ingress: Key) -> Iterator[tuple[Route, Holder]]:
        """Yield the routes of an Ingress that rivals have as well, with the oldest of these."""
        if (known := self._routes.get(ingress)) is None:
            return
        holder, routes = known
        for each in routes:
            if rivals := [*self._rivals(each, holder)]:
                yield each, min(rivals, key=_age)

    def _conflict(self, claim: Claim, sharing: frozenset[str]) -> Conflict | None:
        own = claim.holder.ingress.namespace
        for each in claim.routes:
            rivals = self._rivals(each, claim.holder)
            others = [rival for rival in rivals if not {own, rival.ingress.namespace} <= sharing]
            if others:
                return Conflict(each, min(others, key=_age))
        return None

    def _rivals(self, route: Route, holder: Holder) -> Iterator[Holder]:
        found = {**self._reserved.get(route, {}), **self._holders.get(route, {})}
        return (each for each in found.values() if each.is_rival(holder))

    def _reserve(self, deployment: Key, claims: tuple[Claim, ...]) -> None:
        before = self._claims.pop(deployment, ())
        if claims:
            self._claims[deployment] = claims
        for each, holder in _pairs(before):
            _discard(self._reserved, each, holder.ingress)
        for each, holder in _pairs(claims):
            self._reserved.setdefault(each, {})[holder.ingress] = holder
        for each in {route for route, _ in _pairs(before)} - {route for route, _ in _pairs(claims)}:
            if each not in self._holders:  # otherwise it was written
                self._wake(each)

    def _wait(self, deployment: Key, routes: frozenset[Route]) -> None:
        before = self._waits.pop(deployment, frozenset())
        if routes:
            self._waits[deployment] = routes
        for each in before - routes:
            _discard(self._waiting, each, deployment)
        for each in routes - before:
            self._waiting.setdefault(each, {})[deployment] = None

    def _wake(self, route: Route) -> None:
        for each in (*self._waiting.get(route, ()),):
            self._requeue(each)


def holder_of(child: ObservedChild, ingress: ObservedIngress) -> Holder:
    """Return an Ingress of a MillDeployment as the holder of its routes."""
    deployment = Key(child.key.namespace, child.deployment)
    is_orphaned = not child.owner
    return Holder(child.key, deployment, child.service, ingress.ingress_class, child.created, child.uid, is_orphaned)


def _holding(child: ObservedChild | None) -> tuple[Holder | None, tuple[Route, ...]]:
    """Return an Ingress and its routes. One that another object controls only has our labels: it holds nothing.

    One without a controller does: `kubectl delete --cascade=orphan` leaves it, and it gets requests as before.
    """
    if child is None or child.ingress is None or child.owner not in ("", f"{names.KIND} {child.deployment}"):
        return None, ()
    routes = child.ingress.routes
    return (holder_of(child, child.ingress), routes) if routes else (None, ())


def _age(holder: Holder) -> tuple[datetime, str]:
    return holder.created, holder.uid


def _pairs(claims: Iterable[Claim]) -> Iterator[tuple[Route, Holder]]:
    return ((route, each.holder) for each in claims for route in each.routes)


def _discard(index: dict[Route, dict[Key, Holder]] | dict[Route, dict[Key, None]], route: Route, key: Key) -> None:
    """Take an entry out of an index of indexes, and leave no empty one."""
    if (found := index.get(route)) is not None:
        found.pop(key, None)
        if not found:
            del index[route]
