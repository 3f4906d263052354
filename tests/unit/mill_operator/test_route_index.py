"""Which Ingress has which route."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_objects.key import Key
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.ingresses import ObservedIngress, Route, project_ingress, route
from mill_operator.core.routes.index import Claim, Holder, RouteIndex
from tests.support.children import OBSERVED

ROOT = Route("shop.example.com", "/")
API = Route("shop.example.com", "/api")
SHOP, LIVE = Key("shop", "mill"), Key("live", "mill")


def ingress(
    deployment: Key, *routes: Route, name: str = "web", ingress_class: str | None = "nginx", age: int = 0
) -> ObservedChild:
    """Return an Ingress of a MillDeployment; the higher `age`, the older."""
    return replace(
        OBSERVED,
        kind="Ingress",
        key=Key(deployment.namespace, name),
        uid=f"{deployment}/{name}",
        deployment=deployment.name,
        service=name,
        owner=f"MillDeployment {deployment.name}",
        created=OBSERVED.created - timedelta(seconds=age),
        ingress=ObservedIngress(routes, ingress_class, ""),
    )


def claim(deployment: Key, *routes: Route, name: str = "web", ingress_class: str | None = "nginx") -> Claim:
    return Claim(Holder(Key(deployment.namespace, name), deployment, name, ingress_class), routes)


class Index(RouteIndex):
    """An index that notes who is requeued."""

    def __init__(self) -> None:
        self.requeued: list[Key] = []
        super().__init__(self.requeued.append)

    def have(self, *children: ObservedChild) -> None:
        for each in children:
            self.update(each.key, each)
        self.requeued.clear()

    def is_empty(self) -> bool:
        parts = (self._routes, self._holders, self._claims, self._reserved, self._waits, self._waiting)
        return not any(parts)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"host": "Shop.Example.com", "http": {"paths": [{"path": "/api/"}]}}, [API]),
        (
            {"host": "shop.example.com", "http": {"paths": [{"path": "/"}, {"path": "/api"}, {"path": "//"}]}},
            [ROOT, API],
        ),
        ({"host": "*.example.com", "http": {"paths": [{}]}}, [Route("*.example.com", "/")]),
        ({"http": {"paths": [{"path": "/"}]}}, [Route("", "/")]),
        ({"host": "shop.example.com"}, []),
        ({"host": 7, "http": {"paths": [None, {"path": 7}]}}, [Route("", "/")]),
    ],
)
def test_the_routes_of_an_ingress_are_compared_in_one_form(rule: object, expected: list[Route]) -> None:
    found = project_ingress({"rules": [rule, None], "ingressClassName": "nginx", "tls": [{"secretName": "s"}, {}]})
    assert found == ObservedIngress(tuple(expected), "nginx", "s")


@pytest.mark.parametrize(
    ("held", "wanted", "is_taken"),
    [
        (ROOT, ROOT, True),
        (ROOT, API, False),
        (API, ROOT, False),
        (API, Route("shop.example.com", "/apis"), False),
        (API, Route("www.example.com", "/api"), False),
        (Route("*.example.com", "/"), ROOT, False),
        (ROOT, Route("*.example.com", "/"), False),
        (Route("*.example.com", "/"), Route("*.example.com", "/"), True),
        (API, route("SHOP.example.com", "/api/"), True),
    ],
)
def test_the_same_route_is_the_same_host_and_path(held: Route, wanted: Route, is_taken: bool) -> None:
    index = Index()
    index.have(ingress(SHOP, held))
    assert bool(index.claim(LIVE, [claim(LIVE, wanted)])) is is_taken


@pytest.mark.parametrize(
    ("held", "wanted", "is_taken"),
    [
        ("nginx", "nginx", True),
        ("nginx", "traefik", False),
        ("nginx", None, True),
        (None, "nginx", True),
        (None, None, True),
    ],
)
def test_a_class_has_routes_of_its_own_and_the_default_may_be_any(
    held: str | None, wanted: str | None, is_taken: bool
) -> None:
    index = Index()
    index.have(ingress(SHOP, ROOT, ingress_class=held))
    assert bool(index.claim(LIVE, [claim(LIVE, ROOT, ingress_class=wanted)])) is is_taken


def test_of_two_at_the_same_moment_the_first_gets_the_route() -> None:
    index = Index()
    assert index.claim(SHOP, [claim(SHOP, ROOT, API)]) == {}
    conflicts = index.claim(LIVE, [claim(LIVE, API)])
    assert conflicts[Key("live", "web")].holder.deployment == SHOP
    index.update(Key("shop", "web"), ingress(SHOP, ROOT, API))
    index.release(SHOP)
    assert index.claim(LIVE, [claim(LIVE, API)])


def test_who_waits_is_requeued_when_the_write_of_another_has_failed() -> None:
    index = Index()
    index.claim(SHOP, [claim(SHOP, ROOT)])
    index.claim(LIVE, [claim(LIVE, ROOT)])
    index.release(SHOP)
    assert index.requeued == [LIVE]
    assert index.claim(LIVE, [claim(LIVE, ROOT)]) == {}
    assert index.claim(SHOP, [claim(SHOP, ROOT)])


@pytest.mark.parametrize("change", ["deleted", "another route", "another class", "another owner"])
def test_who_waits_is_requeued_when_the_first_lets_go(change: str) -> None:
    index = Index()
    first = ingress(SHOP, ROOT, API)
    index.have(first)
    index.claim(LIVE, [claim(LIVE, ROOT)])
    after = {
        "deleted": None,
        "another route": ingress(SHOP, API),
        "another class": ingress(SHOP, ROOT, API, ingress_class="traefik"),
        "another owner": replace(first, owner="Deployment web"),
    }[change]
    index.update(first.key, replace(first, resource_version="2"))
    assert index.requeued == []
    index.update(first.key, after)
    assert index.requeued == [LIVE]
    assert index.claim(LIVE, [claim(LIVE, ROOT)]) == {}


def test_an_ingress_that_is_refused_one_route_reserves_none() -> None:
    index = Index()
    index.have(ingress(SHOP, ROOT))
    other = Key("other", "mill")
    assert index.claim(
        LIVE, [claim(LIVE, API, ROOT), claim(LIVE, Route("live.example.com", "/"), name="api")]
    ).keys() == {Key("live", "web")}
    assert index.claim(other, [claim(other, API)]) == {}
    assert index.claim(other, [claim(other, Route("live.example.com", "/"))])


def test_services_of_one_milldeployment_hand_routes_over() -> None:
    index = Index()
    index.have(ingress(SHOP, ROOT))
    assert index.claim(SHOP, [claim(SHOP, ROOT, name="web-2")]) == {}


def test_the_oldest_is_named() -> None:
    index = Index()
    other = Key("other", "mill")
    index.have(ingress(SHOP, ROOT, age=5), ingress(other, ROOT, age=9), ingress(LIVE, API))
    (conflict,) = index.claim(LIVE, [claim(LIVE, ROOT)]).values()
    assert (conflict.route, conflict.holder.deployment) == (ROOT, other)
    assert [(each, rival.deployment) for each, rival in index.shared(Key("shop", "web"))] == [(ROOT, other)]
    assert [(each, rival.deployment) for each, rival in index.shared(Key("other", "web"))] == [(ROOT, SHOP)]
    assert [*index.shared(Key("live", "web"))] == []


def test_namespaces_share_if_both_permit_it() -> None:
    index = Index()
    index.have(ingress(SHOP, ROOT))
    assert index.claim(LIVE, [claim(LIVE, ROOT)], frozenset({"live"}))
    assert index.claim(LIVE, [claim(LIVE, ROOT)], frozenset({"shop"}))
    assert index.claim(LIVE, [claim(LIVE, ROOT)], frozenset({"live", "shop"})) == {}
    index.release(LIVE)
    second = Key("shop", "second")
    assert index.claim(second, [claim(second, ROOT, name="api")], frozenset({"shop"})) == {}


def test_one_that_shares_a_route_is_requeued_when_that_begins_and_ends() -> None:
    index = Index()
    index.have(ingress(SHOP, ROOT))
    second = ingress(LIVE, ROOT)
    index.update(second.key, second)
    assert index.requeued == [SHOP]
    index.update(second.key, None)
    assert index.requeued == [SHOP, SHOP]


@pytest.mark.parametrize("owner", ["MillDeployment x", "Application mill"])
def test_an_ingress_that_only_has_our_labels_holds_nothing(owner: str) -> None:
    index = Index()
    index.have(replace(ingress(SHOP, ROOT), owner=owner))
    assert index.claim(LIVE, [claim(LIVE, ROOT)]) == {}


def test_an_ingress_that_its_milldeployment_has_left_holds_its_routes() -> None:
    """It gets the requests, and would go on to get those of another one that had them."""
    index = Index()
    left = replace(ingress(SHOP, ROOT), owner="")
    index.have(left)
    (conflict,) = index.claim(LIVE, [claim(LIVE, ROOT)]).values()
    assert conflict.holder.is_orphaned
    assert index.claim(SHOP, [claim(SHOP, ROOT)]) == {}, "one of that name takes it over"
    index.release(SHOP)
    index.update(left.key, None)
    assert index.requeued == [LIVE]


def test_nothing_is_kept_of_what_is_gone() -> None:
    index = Index()
    first = ingress(SHOP, ROOT, API)
    index.update(first.key, first)
    index.claim(LIVE, [claim(LIVE, ROOT), claim(LIVE, Route("x.example.com", "/"), name="api")])
    index.claim(SHOP, [claim(SHOP, Route("y.example.com", "/"))])
    assert not index.is_empty()
    index.update(first.key, None)
    index.forget(LIVE)
    index.release(SHOP)
    assert index.is_empty()
    index.update(first.key, None)
    assert index.is_empty()


def test_a_spec_that_wants_a_taken_route_no_more_is_not_requeued() -> None:
    index = Index()
    first = ingress(SHOP, ROOT)
    index.have(first)
    index.claim(LIVE, [claim(LIVE, ROOT)])
    index.claim(LIVE, [claim(LIVE, API)])
    index.update(first.key, None)
    assert index.requeued == []


DEPLOYMENTS = [Key(namespace, name) for namespace in ("a", "b") for name in ("x", "y")]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "written", "refused", "lost", "gone"]),
        st.sampled_from(DEPLOYMENTS),
        st.sets(st.sampled_from([ROOT, API]), min_size=1),
    ),
    max_size=30,
)


@given(STEPS)
def test_no_route_ever_has_two_owners_and_no_free_route_leaves_one_waiting(
    steps: list[tuple[str, Key, set[Route]]],
) -> None:
    index = Index()
    claimed: dict[Key, tuple[Route, ...]] = {}
    has: dict[Key, tuple[Route, ...]] = {}
    waits: dict[Key, Route] = {}

    def update(deployment: Key, routes: tuple[Route, ...]) -> None:
        has[deployment] = routes
        child = ingress(deployment, *routes, name=deployment.name)
        index.update(child.key, child if routes else None)

    for step, deployment, wanted in steps:
        index.requeued.clear()
        if step == "claim":
            added = tuple(sorted(wanted - {*has.get(deployment, ())}))
            conflicts = index.claim(deployment, [claim(deployment, *added, name=deployment.name)])
            claimed[deployment] = () if conflicts else added
            waits.pop(deployment, None)
            for conflict in conflicts.values():
                waits[deployment] = conflict.route
        elif step == "written":
            update(deployment, (*has.get(deployment, ()), *claimed.pop(deployment, ())))
            index.release(deployment)
        elif step == "lost":
            update(deployment, ())
        else:
            claimed.pop(deployment, None)
            (index.release if step == "refused" else index.forget)(deployment)
            if step == "gone":
                update(deployment, ())
                waits.pop(deployment, None)
        for each in (ROOT, API):
            owners = {key for known in (has, claimed) for key, routes in known.items() if each in routes}
            assert len(owners) <= 1
            waiting = {key for key, route in waits.items() if route == each}
            if not owners - waiting:
                assert waiting <= {*index.requeued}
                waits = {key: route for key, route in waits.items() if route != each}
    for deployment in DEPLOYMENTS:
        update(deployment, ())
        index.forget(deployment)
    assert index.is_empty()
