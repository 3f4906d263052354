"""Who leads: the decision by tables, and the loop against a Lease that is kept in memory."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from mill_api import names
from mill_kube.client import KubeClient
from mill_kube.errors import Conflict, Unreachable
from mill_kube.resources import Resource
from mill_operator.core.leader_election import (
    Decision,
    LeaseAction,
    LeaseRecord,
    LeaseTiming,
    ObservedLease,
    decide,
    next_record,
    observe_lease,
)
from mill_operator.leader_election import LeaderElection
from tests.unit.virtual_time import now, virtual_time

TIMING = LeaseTiming.of(15)


def record(holder: str = "other", renewed: str = "1", seconds: float = 15.0, transitions: int = 0) -> LeaseRecord:
    return LeaseRecord(holder, seconds, "0", renewed, transitions)


def seen(holder: str, since: float = 100.0, seconds: float = 15.0) -> ObservedLease:
    return ObservedLease(record(holder, seconds=seconds), "7", since)


def test_the_proportions_are_those_of_other_controllers() -> None:
    assert LeaseTiming(lease=15, renewal=10, retry=2) == TIMING


@pytest.mark.parametrize(
    ("known", "now", "decision"),
    [
        pytest.param(None, 100.0, Decision(LeaseAction.ACQUIRE, 2), id="there is no lease"),
        pytest.param(seen(""), 100.0, Decision(LeaseAction.ACQUIRE, 2), id="it was released"),
        pytest.param(seen("me"), 100.0, Decision(LeaseAction.ACQUIRE, 2), id="it is ours, and we do not know"),
        pytest.param(seen("other"), 100.0, Decision(LeaseAction.WAIT, 15), id="its holder was just heard of"),
        pytest.param(
            seen("other"), 114.0, Decision(LeaseAction.WAIT, 1), id="its holder is silent, not for long enough"
        ),
        pytest.param(seen("other"), 115.0, Decision(LeaseAction.ACQUIRE, 2), id="its holder is silent for too long"),
        pytest.param(
            seen("other", seconds=60), 150.0, Decision(LeaseAction.WAIT, 10), id="its holder's own term counts"
        ),
    ],
)
def test_a_candidate(known: ObservedLease | None, now: float, decision: Decision) -> None:
    assert decide("me", known, None, now, TIMING) == decision


@pytest.mark.parametrize(
    ("known", "now", "decision"),
    [
        pytest.param(seen("me"), 100.5, Decision(LeaseAction.WAIT, 1.5), id="renewed a moment ago"),
        pytest.param(seen("me"), 102.0, Decision(LeaseAction.RENEW, 2), id="time to renew"),
        pytest.param(
            seen("me"), 109.5, Decision(LeaseAction.RENEW, 0.5), id="the last attempt, for as long as there is"
        ),
        pytest.param(
            seen("me"), 110.0, Decision(LeaseAction.LOST, 0), id="not renewed in time, before others may take it"
        ),
        pytest.param(seen("other"), 100.5, Decision(LeaseAction.LOST, 0), id="somebody else took it"),
        pytest.param(seen(""), 100.5, Decision(LeaseAction.LOST, 0), id="somebody emptied it"),
        pytest.param(None, 100.5, Decision(LeaseAction.LOST, 0), id="somebody deleted it"),
    ],
)
def test_a_leader(known: ObservedLease | None, now: float, decision: Decision) -> None:
    assert decide("me", known, 100.0, now, TIMING) == decision


def test_times_in_the_record_are_never_compared_with_our_clock() -> None:
    """A holder whose clock is a year behind or ahead is as alive as any."""
    for renewed in ("2025-01-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"):
        known = ObservedLease(record(renewed=renewed), "7", 100.0)
        assert decide("me", known, None, 101.0, TIMING).action is LeaseAction.WAIT


def test_a_record_that_was_not_written_again_grows_old() -> None:
    first = observe_lease(None, record(renewed="1"), "7", 100.0)
    again = observe_lease(first, record(renewed="1"), "8", 105.0)  # another hand has set a label
    assert again == ObservedLease(record(renewed="1"), "8", 100.0)
    assert observe_lease(again, record(renewed="2"), "9", 106.0).since == 106.0


def test_what_is_written() -> None:
    other = ObservedLease(LeaseRecord("other", 15, "a", "b", 3), "7", 0.0)
    assert next_record(None, "me", "now", TIMING) == LeaseRecord("me", 15, "now", "now", 0)
    taken = next_record(other, "me", "now", TIMING)
    assert taken == LeaseRecord("me", 15, "now", "now", 4)
    mine = ObservedLease(taken, "8", 0.0)
    assert next_record(mine, "me", "later", TIMING) == LeaseRecord("me", 15, "now", "later", 4)
    assert next_record(mine, "", "later", TIMING) == LeaseRecord("", 1, "later", "later", 4)


class Server:
    """One Lease, with the API server's revision check.

    While it is `away`, nobody answers; while it is `mute`, watches are silent.
    """

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 1
        self.away = False
        self.mute = False
        self.holders: list[str] = []
        """Who has written, one after another."""
        self._watches: list[asyncio.Event] = []

    async def list(self, *_: Any, fields: str, **__: Any) -> dict[str, Any]:
        assert fields == f"metadata.name={names.LEASE_NAME}"
        return {"items": [self.lease] if self.lease else [], "metadata": {"resourceVersion": str(self.version)}}

    async def watch(self, *_: Any, resource_version: str, **__: Any) -> AsyncIterator[dict[str, Any]]:
        told, news = int(resource_version), asyncio.Event()
        self._watches.append(news)
        while True:
            if self.version > told and not self.mute:
                told = self.version
                yield {"type": "MODIFIED", "object": self.lease}
            await news.wait()
            news.clear()
            await asyncio.sleep(0.002)

    async def create(
        self, resource: Resource, _namespace: str, body: dict[str, Any], *, manager: str
    ) -> dict[str, Any]:
        await self._arrive()
        if self.lease is not None:
            raise Conflict(409, "AlreadyExists", "it exists")
        return self.write(body)

    async def update(
        self, resource: Resource, _namespace: str, body: dict[str, Any], *, manager: str
    ) -> dict[str, Any]:
        await self._arrive()
        if self.lease is None or body["metadata"]["resourceVersion"] != str(self.version):
            raise Conflict(409, "Conflict", "it was changed")
        return self.write(body)

    async def _arrive(self) -> None:
        await asyncio.sleep(0.001)
        if self.away:
            raise Unreachable("nobody answers")

    def write(self, body: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.lease = {**body, "metadata": {**body["metadata"], "uid": "u", "resourceVersion": str(self.version)}}
        holder = body["spec"]["holderIdentity"]
        if self.holders[-1:] != [holder]:
            self.holders.append(holder)
        for watch in self._watches:
            watch.set()
        return self.lease


class Replica:
    """Somebody who takes part."""

    def __init__(self, server: Server, identity: str) -> None:
        self.election = LeaderElection(
            cast("KubeClient", server), "mill-system", TIMING, identity=identity, monotonic=now
        )
        self.running = asyncio.create_task(self.election.run())

    @property
    def leads(self) -> bool:
        return self.election.leads

    async def elected(self, within: float) -> None:
        async with asyncio.timeout(within):
            await self.election.elected.wait()

    async def dies(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


@pytest.fixture
def server() -> Server:
    return Server()


@virtual_time
async def test_of_two_that_begin_together_one_leads(server: Server) -> None:
    a, b = Replica(server, "a"), Replica(server, "b")
    await asyncio.sleep(60)
    assert a.leads != b.leads
    assert len(server.holders) == 1


@virtual_time
async def test_one_that_leaves_is_followed_at_once(server: Server) -> None:
    a = Replica(server, "a")
    await a.elected(within=1)
    b = Replica(server, "b")
    await asyncio.sleep(60)
    assert not b.leads
    a.election.leave()
    await a.running
    assert not a.leads
    await b.elected(within=0.1)
    assert server.holders == ["a", "", "b"]
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 1


@virtual_time
async def test_one_that_dies_is_followed_within_its_term(server: Server) -> None:
    a = Replica(server, "a")
    await a.elected(within=1)
    b = Replica(server, "b")
    await asyncio.sleep(61)
    await a.dies()
    died = now()
    await b.elected(within=TIMING.lease)
    assert now() - died >= TIMING.lease - TIMING.retry
    assert server.holders == ["a", "b"]


@virtual_time
async def test_a_leader_that_cannot_renew_stops_before_another_may_lead(server: Server) -> None:
    a = Replica(server, "a")
    await a.elected(within=1)
    b = Replica(server, "b")
    await asyncio.sleep(61)
    server.away = True
    cut_off = now()
    await a.running
    assert not a.leads
    assert not a.election.left
    assert TIMING.renewal - TIMING.retry <= now() - cut_off <= TIMING.renewal
    server.away = False
    assert not b.leads
    await b.elected(within=TIMING.lease - TIMING.renewal + TIMING.retry)


@virtual_time
async def test_a_leader_may_not_write_from_the_moment_at_which_its_time_is_over(server: Server) -> None:
    """Also one that was stopped meanwhile, and has not run a line since."""
    a = Replica(server, "a")
    await a.elected(within=1)
    await a.dies()
    await asyncio.sleep(TIMING.renewal - 0.1)
    assert a.leads
    await asyncio.sleep(0.1)
    assert not a.leads


@virtual_time
async def test_a_short_outage_costs_nothing(server: Server) -> None:
    a = Replica(server, "a")
    await a.elected(within=1)
    b = Replica(server, "b")
    await asyncio.sleep(60)
    server.away = True
    await asyncio.sleep(TIMING.renewal - 2 * TIMING.retry)
    server.away = False
    await asyncio.sleep(60)
    assert a.leads
    assert not b.leads
    assert server.holders == ["a"]


@virtual_time
async def test_who_does_not_hear_of_renewals_cannot_take_the_lease(server: Server) -> None:
    a = Replica(server, "a")
    await a.elected(within=1)
    b = Replica(server, "b")
    await asyncio.sleep(5)
    server.mute = True
    await asyncio.sleep(300)
    assert a.leads
    assert not b.leads
    assert server.holders == ["a"]


@virtual_time
async def test_a_leader_whose_lease_somebody_takes_stops_at_once(server: Server) -> None:
    a = Replica(server, "a")
    await a.elected(within=1)
    assert server.lease is not None
    server.write({**server.lease, "spec": {**server.lease["spec"], "holderIdentity": "kubectl"}})
    async with asyncio.timeout(0.1):
        await a.running
    assert not a.leads
    assert server.holders == ["a", "kubectl"]


@virtual_time
async def test_a_label_that_somebody_sets_is_no_loss(server: Server) -> None:
    a = Replica(server, "a")
    await a.elected(within=1)
    for _ in range(50):
        assert server.lease is not None
        server.write({**server.lease, "metadata": {**server.lease["metadata"], "labels": {"a": "b"}}})
        await asyncio.sleep(0.7)
    assert a.leads
