"""Lookups of what namespaces permit: once while a result is fresh, and closed where the right is missing."""

import asyncio
import logging

import pytest

from mill_kube.errors import ApiError, Unreachable
from mill_kube.resources import NAMESPACES
from mill_operator import namespaces
from mill_operator.core.routes.namespace_rules import NO_RULES
from mill_operator.namespaces import NamespaceRulesLookup
from tests.support.apiserver import ApiServer, InMemoryClient

FORBIDDEN = ApiError(403, "Forbidden", 'namespaces "shop" is forbidden: User "mill" cannot get resource "namespaces"')


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def put(server: ApiServer, **annotations: str) -> None:
    named = {f"mill.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    server.put(NAMESPACES, {"metadata": {"name": "shop", "annotations": named}})


@pytest.fixture
def server() -> ApiServer:
    server = ApiServer()
    put(server, allowed_hosts="*.example.com")
    return server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lookup(server: ApiServer, clock: Clock) -> NamespaceRulesLookup:
    return NamespaceRulesLookup(InMemoryClient(server), clock)


async def test_a_namespace_is_read_once_while_its_rules_are_fresh(
    lookup: NamespaceRulesLookup, server: ApiServer, clock: Clock
) -> None:
    found = await asyncio.gather(*(lookup.rules("shop") for _ in range(5)))
    assert {each.hosts for each in found} == {frozenset({"*.example.com"})}
    put(server, allowed_hosts="")
    assert (await lookup.rules("shop")).allows("a.example.com")
    assert len(server.sent("get", NAMESPACES)) == 1
    clock.time = namespaces.FRESH_SECONDS
    assert not (await lookup.rules("shop")).allows("a.example.com")


async def test_without_the_right_no_host_is_allowed(
    lookup: NamespaceRulesLookup, server: ApiServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    server.add_fault("get", NAMESPACES, error=FORBIDDEN)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            rules = await lookup.rules("shop")
            assert not rules.allows("a.example.com")
            assert rules.problem == "the operator may not read the Namespace"
            clock.time += namespaces.FRESH_SECONDS
    assert len(caplog.records) == 1


async def test_while_the_api_server_is_away_the_last_rules_hold_for_some_minutes(
    lookup: NamespaceRulesLookup, server: ApiServer, clock: Clock
) -> None:
    known = await lookup.rules("shop")
    server.add_fault("get", NAMESPACES, error=Unreachable("no answer"))
    clock.time = namespaces.STALE_SECONDS
    assert await lookup.rules("shop") == known
    clock.time = namespaces.STALE_SECONDS + 1
    with pytest.raises(Unreachable):
        await lookup.rules("shop")
    with pytest.raises(Unreachable):
        await lookup.rules("other")
    server.faults.clear()
    assert await lookup.rules("shop") == known


async def test_nothing_can_be_written_into_a_namespace_that_is_gone(lookup: NamespaceRulesLookup) -> None:
    assert await lookup.rules("gone") == NO_RULES


async def test_the_cache_is_bounded(
    lookup: NamespaceRulesLookup, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespaces, "KEPT", 2)
    for name in ("shop", "a", "b", "shop"):
        await lookup.rules(name)
    assert len(server.sent("get", NAMESPACES)) == 4
    assert len(lookup._known) == 2
