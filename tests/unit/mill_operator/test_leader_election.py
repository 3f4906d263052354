"""Leader election: the decisions by tables, and the loop before the in-memory API server."""

import asyncio

import pytest

from mill_api import names
from mill_kube.calls import READS
from mill_kube.connection import Request
from mill_kube.errors import Unreachable
from mill_kube.resources import LEASES
from mill_objects.json import Json
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
from tests.support.apiserver import ApiServer, Fault, InMemoryClient
from tests.unit.virtual_time import now, virtual_time

TIMING = LeaseTiming.of(15)
NAMESPACE = "mill-system"
REQUEST_SECONDS = 0.001
"""How long a write takes."""


def record(holder: str = "other", renewed: str = "1", seconds: float = 15.0, transitions: int = 0) -> LeaseRecord:
    return LeaseRecord(holder, seconds, "0", renewed, transitions)


def observed(holder: str, since: float = 100.0, seconds: float = 15.0) -> ObservedLease:
    return ObservedLease(record(holder, seconds=seconds), "7", since)


def test_the_proportions_are_those_of_other_controllers() -> None:
    assert LeaseTiming(lease=15, renewal=10, retry=2) == TIMING


@pytest.mark.parametrize(
    ("known", "now", "decision"),
    [
        pytest.param(None, 100.0, Decision(LeaseAction.ACQUIRE, 2), id="there is no lease"),
        pytest.param(observed(""), 100.0, Decision(LeaseAction.ACQUIRE, 2), id="it was released"),
        pytest.param(
            observed("me"),
            100.0,
            Decision(LeaseAction.ACQUIRE, 2),
            id="it is held by this replica, which does not know it",
        ),
        pytest.param(observed("other"), 100.0, Decision(LeaseAction.WAIT, 15), id="its holder has just renewed it"),
        pytest.param(
            observed("other"), 114.0, Decision(LeaseAction.WAIT, 1), id="its holder is silent, not for long enough"
        ),
        pytest.param(
            observed("other"), 115.0, Decision(LeaseAction.ACQUIRE, 2), id="its holder is silent for too long"
        ),
        pytest.param(
            observed("other", seconds=60), 150.0, Decision(LeaseAction.WAIT, 10), id="its holder's own term counts"
        ),
    ],
)
def test_a_candidate(known: ObservedLease | None, now: float, decision: Decision) -> None:
    assert decide("me", known, None, now, TIMING) == decision


@pytest.mark.parametrize(
    ("known", "now", "decision"),
    [
        pytest.param(observed("me"), 100.5, Decision(LeaseAction.WAIT, 1.5), id="renewed a moment ago"),
        pytest.param(observed("me"), 102.0, Decision(LeaseAction.RENEW, 2), id="time to renew"),
        pytest.param(
            observed("me"), 109.5, Decision(LeaseAction.RENEW, 0.5), id="the last attempt, for as long as there is"
        ),
        pytest.param(
            observed("me"), 110.0, Decision(LeaseAction.LOST, 0), id="not renewed in time, before others may take it"
        ),
        pytest.param(observed("other"), 100.5, Decision(LeaseAction.LOST, 0), id="another replica took it"),
        pytest.param(observed(""), 100.5, Decision(LeaseAction.LOST, 0), id="a user emptied it"),
        pytest.param(None, 100.5, Decision(LeaseAction.LOST, 0), id="a user deleted it"),
    ],
)
def test_a_leader(known: ObservedLease | None, now: float, decision: Decision) -> None:
    assert decide("me", known, 100.0, now, TIMING) == decision


def test_times_in_the_record_are_never_compared_with_the_clock() -> None:
    """A holder whose clock is a year behind or ahead is as alive as any."""
    for renewed in ("2025-01-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"):
        known = ObservedLease(record(renewed=renewed), "7", 100.0)
        assert decide("me", known, None, 101.0, TIMING).action is LeaseAction.WAIT


def test_a_record_ages_until_it_is_renewed() -> None:
    first = observe_lease(None, record(renewed="1"), "7", 100.0)
    again = observe_lease(first, record(renewed="1"), "8", 105.0)  # a user has set a label
    assert again == ObservedLease(record(renewed="1"), "8", 100.0)
    assert observe_lease(again, record(renewed="2"), "9", 106.0).since == 106.0


def test_the_written_record_counts_transitions() -> None:
    other = ObservedLease(LeaseRecord("other", 15, "a", "b", 3), "7", 0.0)
    assert next_record(None, "me", "now", TIMING) == LeaseRecord("me", 15, "now", "now", 0)
    taken = next_record(other, "me", "now", TIMING)
    assert taken == LeaseRecord("me", 15, "now", "now", 4)
    mine = ObservedLease(taken, "8", 0.0)
    assert next_record(mine, "me", "later", TIMING) == LeaseRecord("me", 15, "now", "later", 4)
    assert next_record(mine, "", "later", TIMING) == LeaseRecord("", 1, "later", "later", 4)


class Election:
    """An API server that holds the Lease, and replicas that compete for it."""

    def __init__(self) -> None:
        self.server = ApiServer()
        self.server.add_fault("create", delay_seconds=REQUEST_SECONDS)
        self.server.add_fault("update", delay_seconds=REQUEST_SECONDS)
        self.server.observers.append(self._note_holder)
        self.holders: list[str] = []
        """The holders that were written, one after the other."""

    def _note_holder(self, request: Request, answer: Json) -> None:
        if request.resource == LEASES and request.verb not in READS:
            holder = answer["spec"]["holderIdentity"]
            if self.holders[-1:] != [holder]:
                self.holders.append(holder)

    @property
    def lease(self) -> Json:
        (lease,) = self.server.all(LEASES)
        return lease

    def outage(self) -> Fault:
        """Let every write fail, until the fault is removed from the server."""
        return self.server.add_fault("*", LEASES, when=is_write, error=Unreachable("connection refused"))

    def silence_watches(self) -> None:
        """End all watches; later ones are accepted and send nothing."""
        self.server.add_fault("watch", LEASES, hold=asyncio.Event())
        self.server.end_watches()

    async def merge(self, patch: Json) -> None:
        """Change the Lease, as a user does."""
        client = InMemoryClient(self.server)
        await client.merge_patch(LEASES, NAMESPACE, names.LEASE_NAME, patch, manager="kubectl")


def is_write(request: Request) -> bool:
    return request.verb not in READS


class Replica:
    """A replica that takes part in an election."""

    def __init__(self, election: Election, identity: str) -> None:
        client = InMemoryClient(election.server)
        self.election = LeaderElection(client, NAMESPACE, TIMING, identity=identity, monotonic=now)
        self.running = asyncio.create_task(self.election.run())

    @property
    def leads(self) -> bool:
        return self.election.leads

    async def elected(self, within: float) -> None:
        async with asyncio.timeout(within):
            await self.election.elected.wait()

    async def die(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


@pytest.fixture
def election() -> Election:
    return Election()


@virtual_time
async def test_one_of_two_replicas_leads(election: Election) -> None:
    a, b = Replica(election, "a"), Replica(election, "b")
    await asyncio.sleep(60)
    assert a.leads != b.leads
    assert len(election.holders) == 1


@virtual_time
async def test_a_leader_that_leaves_is_followed_at_once(election: Election) -> None:
    a = Replica(election, "a")
    await a.elected(within=1)
    b = Replica(election, "b")
    await asyncio.sleep(60)
    assert not b.leads
    a.election.leave()
    await a.running
    assert not a.leads
    await b.elected(within=0.1)
    assert election.holders == ["a", "", "b"]
    assert election.lease["spec"]["leaseTransitions"] == 1


@virtual_time
async def test_a_leader_that_dies_is_followed_within_its_term(election: Election) -> None:
    a = Replica(election, "a")
    await a.elected(within=1)
    b = Replica(election, "b")
    await asyncio.sleep(61)
    await a.die()
    died = now()
    await b.elected(within=TIMING.lease)
    assert now() - died >= TIMING.lease - TIMING.retry
    assert election.holders == ["a", "b"]


@virtual_time
async def test_a_leader_that_cannot_renew_stops_before_another_may_lead(election: Election) -> None:
    a = Replica(election, "a")
    await a.elected(within=1)
    b = Replica(election, "b")
    await asyncio.sleep(61)
    outage = election.outage()
    cut_off = now()
    await a.running
    assert not a.leads
    assert not a.election.left
    assert TIMING.renewal - TIMING.retry <= now() - cut_off <= TIMING.renewal
    election.server.faults.remove(outage)
    assert not b.leads
    await b.elected(within=TIMING.lease - TIMING.renewal + TIMING.retry)


@virtual_time
async def test_a_leader_may_not_write_once_its_time_is_over(election: Election) -> None:
    """Also a process that was suspended meanwhile."""
    a = Replica(election, "a")
    await a.elected(within=1)
    await a.die()
    await asyncio.sleep(TIMING.renewal - 0.1)
    assert a.leads
    await asyncio.sleep(0.1)
    assert not a.leads


@virtual_time
async def test_a_short_outage_changes_no_leader(election: Election) -> None:
    a = Replica(election, "a")
    await a.elected(within=1)
    b = Replica(election, "b")
    await asyncio.sleep(60)
    outage = election.outage()
    await asyncio.sleep(TIMING.renewal - 2 * TIMING.retry)
    election.server.faults.remove(outage)
    await asyncio.sleep(60)
    assert a.leads
    assert not b.leads
    assert election.holders == ["a"]


@virtual_time
async def test_a_candidate_that_observes_no_renewals_cannot_take_the_lease(election: Election) -> None:
    a = Replica(election, "a")
    await a.elected(within=1)
    b = Replica(election, "b")
    await asyncio.sleep(5)
    election.silence_watches()
    await asyncio.sleep(300)
    answered = [request for request, _ in election.server.answers if request.verb == "update"]
    assert len(answered) < len(election.server.sent("update")), "the candidate has tried, with an old version"
    assert a.leads
    assert not b.leads
    assert election.holders == ["a"]


@virtual_time
async def test_a_leader_whose_lease_a_user_takes_stops_at_once(election: Election) -> None:
    a = Replica(election, "a")
    await a.elected(within=1)
    await election.merge({"spec": {"holderIdentity": "kubectl"}})
    async with asyncio.timeout(0.1):
        await a.running
    assert not a.leads
    assert election.holders == ["a", "kubectl"]


@virtual_time
async def test_a_label_that_a_user_sets_is_no_loss(election: Election) -> None:
    a = Replica(election, "a")
    await a.elected(within=1)
    for number in range(50):
        await election.merge({"metadata": {"labels": {"a": str(number)}}})
        await asyncio.sleep(0.7)
    assert a.leads
