"""Leader election: what a replica does about the Lease that all replicas share.

The rules are client-go's. A replica decides by its own monotonic clock whether a leader is gone, counting from the last
observed change of the record. The times in the record are for people, so that replicas' clocks may differ. A leader
stops before others may take its place, and of two that write at the same time the API server's revision check lets one
win.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """Durations of the election, in seconds."""

    lease: float
    """How long candidates wait for a leader that does not renew."""
    renewal: float
    """How long a leader may lead without a successful renewal."""
    retry: float
    """The pause between two attempts."""

    @classmethod
    def of(cls, lease: float) -> Self:
        """Return the usual proportions: for a lease of 15 seconds, a renewal of 10 and a retry of 2."""
        return cls(lease, lease * 2 / 3, lease * 2 / 15)


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The content of a Lease."""

    holder: str
    """Empty if the Lease was released."""
    lease_seconds: float
    """How long its holder asks candidates to wait."""
    acquired: str
    renewed: str
    """When its holder acquired it and renewed it last, by the holder's clock. Only equality of these is used."""
    transitions: int
    """Number of changes of the holder."""


@dataclass(frozen=True, slots=True)
class ObservedLease:
    """The Lease as this replica knows it."""

    record: LeaseRecord
    version: str
    """The resource version that the next write names."""
    since: float
    """When this record was observed first, on the monotonic clock."""


class LeaseAction(StrEnum):
    """Next step of a replica."""

    ACQUIRE = "acquire"
    RENEW = "renew"
    WAIT = "wait"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Decision:
    """The next action, and the seconds after which to decide again if it fails and the Lease does not change."""

    action: LeaseAction
    seconds: float


def observe_lease(known: ObservedLease | None, record: LeaseRecord, version: str, now: float) -> ObservedLease:
    """Return the Lease as read. An unchanged record keeps the time of its first observation."""
    since = known.since if known is not None and known.record == record else now
    return ObservedLease(record, version, since)


def decide(
    identity: str, known: ObservedLease | None, renewed_at: float | None, now: float, timing: LeaseTiming
) -> Decision:
    """Return the next action. `known` is None without a Lease; `renewed_at`, while this replica does not lead."""
    if renewed_at is None:
        return _candidate(identity, known, now, timing)
    if known is None or known.record.holder != identity or now >= renewed_at + timing.renewal:
        return Decision(LeaseAction.LOST, 0.0)
    wait = renewed_at + timing.retry - now
    if wait > 0:
        return Decision(LeaseAction.WAIT, wait)
    return Decision(LeaseAction.RENEW, min(timing.retry, renewed_at + timing.renewal - now))


def next_record(known: ObservedLease | None, holder: str, now: str, timing: LeaseTiming) -> LeaseRecord:
    """Return the record to write: `holder` acquires or renews the Lease; an empty one releases it."""
    old = known.record if known is not None else LeaseRecord("", 0.0, "", "", -1)
    if not holder:
        return LeaseRecord("", 1.0, now, now, old.transitions)
    if old.holder == holder:
        return LeaseRecord(holder, timing.lease, old.acquired, now, old.transitions)
    return LeaseRecord(holder, timing.lease, now, now, old.transitions + 1)


def _candidate(identity: str, known: ObservedLease | None, now: float, timing: LeaseTiming) -> Decision:
    # This replica's own name, though it does not lead: the answer to its write was lost.
    if known is None or known.record.holder in ("", identity):
        return Decision(LeaseAction.ACQUIRE, timing.retry)
    left = known.since + known.record.lease_seconds - now
    return Decision(LeaseAction.WAIT, left) if left > 0 else Decision(LeaseAction.ACQUIRE, timing.retry)
