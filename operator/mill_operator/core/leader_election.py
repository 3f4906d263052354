"""Who leads: what a replica does about the Lease that all replicas share.

The rules are client-go's. Whether a leader is gone is judged by our own monotonic clock, since we last saw the record
change: the times that are written in it are for people, so that replicas' clocks may differ. A leader gives up before
others may take its place, and the API server's revision check lets one of two win who try at the same time.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """How long things take, in seconds."""

    lease: float
    """Others wait for a leader that is not heard of for so long."""
    renewal: float
    """A leader that could not renew for so long leads no more."""
    retry: float
    """The pause between two attempts."""

    @classmethod
    def of(cls, lease: float) -> Self:
        """Return the proportions that controllers have: 15, 10 and 2 seconds."""
        return cls(lease, lease * 2 / 3, lease * 2 / 15)


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What stands in a Lease."""

    holder: str
    """Empty: it was released."""
    lease_seconds: float
    """For how long its holder asked others to wait."""
    acquired: str
    renewed: str
    """When its holder took it and wrote it last, by the holder's clock: tells one writing from another, no more."""
    transitions: int
    """How often the holder has changed."""


@dataclass(frozen=True, slots=True)
class ObservedLease:
    """A Lease as we know it."""

    record: LeaseRecord
    version: str
    """Its resource version, which our next write names."""
    since: float
    """When we first saw the record as it is, on our monotonic clock."""


class LeaseAction(StrEnum):
    """What to do."""

    ACQUIRE = "acquire"
    RENEW = "renew"
    WAIT = "wait"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and after how many seconds to decide again: if it has not worked, and nothing was heard, by then."""

    action: LeaseAction
    seconds: float


def observe_lease(known: ObservedLease | None, record: LeaseRecord, version: str, now: float) -> ObservedLease:
    """Note a Lease that was read. A record that is as it was keeps its time."""
    since = known.since if known is not None and known.record == record else now
    return ObservedLease(record, version, since)


def decide(
    identity: str, known: ObservedLease | None, renewed_at: float | None, now: float, timing: LeaseTiming
) -> Decision:
    """Decide. `known` is None without a Lease; `renewed_at`, when we last renewed it, is None while we do not lead."""
    if renewed_at is None:
        return _candidate(identity, known, now, timing)
    if known is None or known.record.holder != identity or now >= renewed_at + timing.renewal:
        return Decision(LeaseAction.LOST, 0.0)
    wait = renewed_at + timing.retry - now
    if wait > 0:
        return Decision(LeaseAction.WAIT, wait)
    return Decision(LeaseAction.RENEW, min(timing.retry, renewed_at + timing.renewal - now))


def next_record(known: ObservedLease | None, holder: str, now: str, timing: LeaseTiming) -> LeaseRecord:
    """Return the record that we write: `holder` takes the Lease, keeps it, or, if empty, lets go of it."""
    old = known.record if known is not None else LeaseRecord("", 0.0, "", "", -1)
    if not holder:
        return LeaseRecord("", 1.0, now, now, old.transitions)
    if old.holder == holder:
        return LeaseRecord(holder, timing.lease, old.acquired, now, old.transitions)
    return LeaseRecord(holder, timing.lease, now, now, old.transitions + 1)


def _candidate(identity: str, known: ObservedLease | None, now: float, timing: LeaseTiming) -> Decision:
    # Our own name without our knowing: the answer to our write was lost.
    if known is None or known.record.holder in ("", identity):
        return Decision(LeaseAction.ACQUIRE, timing.retry)
    left = known.since + known.record.lease_seconds - now
    return Decision(LeaseAction.WAIT, left) if left > 0 else Decision(LeaseAction.ACQUIRE, timing.retry)
