"""Leader election by a Lease: only the leader reconciles. `core.leader_election` decides what a replica does.

The Lease is watched, not polled: a candidate learns of a release, and measures a leader's silence, to the millisecond.
A watch that is behind or dead does no harm, since every write names the resource version that it replaces.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mill_api import names
from mill_kube.client import KubeClient
from mill_kube.errors import Conflict, KubeError
from mill_kube.reflector import Reflector, Selection
from mill_kube.resources import LEASES
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.core.leader_election import (
    LeaseAction,
    LeaseRecord,
    LeaseTiming,
    ObservedLease,
    decide,
    next_record,
    observe_lease,
)

log = logging.getLogger(__name__)

MICRO_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def new_identity() -> str:
    """Return a name that no other process has: the pod's, and a random part for later processes of that pod."""
    return f"{socket.gethostname()}_{secrets.token_hex(4)}"


class LeaderElection:
    """This replica's part in the election. `elected` is set when it leads; `run` returns when it no longer does."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        timing: LeaseTiming,
        *,
        identity: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self.elected = asyncio.Event()
        self.left = False
        """Whether this replica leaves on purpose."""
        self.reflector = Reflector(
            client,
            LEASES,
            project=project_lease,
            on_change=self._on_change,
            selection=Selection(namespace, fields=f"metadata.name={names.LEASE_NAME}"),
        )
        self._client = client
        self._key = Key(namespace, names.LEASE_NAME)
        self._timing = timing
        self._monotonic = monotonic
        self._known: ObservedLease | None = None
        self._renewed_at: float | None = None
        self._changed = asyncio.Event()

    @property
    def leads(self) -> bool:
        """Whether no other replica can lead at this moment. It must be true before every write."""
        return self._renewed_at is not None and self._monotonic() < self._renewed_at + self._timing.renewal

    async def run(self) -> None:
        """Acquire the Lease, then renew it, until it is lost or this replica leaves."""
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self.reflector.run())
            await self.reflector.synced.wait()
            log.info("%s is a candidate for the lease %s", self.identity, self._key)
            await self._take_part()
            if self.left and self.leads:
                await self._write("", self._timing.retry)  # so that candidates need not wait
            self._renewed_at = None
            watching.cancel()

    async def _take_part(self) -> None:
        while not self.left:
            self._changed.clear()
            now = self._monotonic()
            decision = decide(self.identity, self._known, self._renewed_at, now, self._timing)
            if decision.action is LeaseAction.LOST:
                return
            if decision.action is LeaseAction.WAIT:
                await self._pause(decision.seconds)
            elif not await self._write(self.identity, decision.seconds):
                await self._pause(now + decision.seconds - self._monotonic())
            elif not self.elected.is_set():
                log.info("%s became leader", self.identity)
                self.elected.set()

    def leave(self) -> None:
        """Release the Lease, which ends `run`. A running renewal is not canceled: it may be written already."""
        self.left = True
        self._changed.set()

    async def _write(self, holder: str, seconds: float) -> bool:
        """Write a holder into the known version of the Lease. Return whether that succeeded.

        If the Lease has changed, the watch reports it, so that a conflict is not followed by a read.
        """
        sent_at = self._monotonic()
        record = next_record(self._known, holder, datetime.now(UTC).strftime(MICRO_TIME), self._timing)
        body = _body(self._key, record, self._known)
        write = self._client.create if self._known is None else self._client.update
        try:
            async with asyncio.timeout(seconds):
                answer = await write(LEASES, self._key.namespace, body, manager=names.OPERATOR_FIELD_MANAGER)
        except Conflict:
            log.info("lease %s: another replica has written it", self._key)
        except (KubeError, TimeoutError) as error:
            log.warning("lease %s: %s", self._key, str(error) or "no answer")
        else:
            try:
                self._on_change(None, self.reflector.put(answer))
            except Unreadable as error:
                log.warning("lease %s: %s", self._key, error)
                return False
            self._renewed_at = sent_at
            return True
        return False

    def _on_change(self, _old: "Lease | None", new: "Lease | None") -> None:
        if new is None:
            self._known = None
        else:
            self._known = observe_lease(self._known, new.record, new.resource_version, self._monotonic())
        self._changed.set()

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until the Lease changes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease as the API server has it."""

    key: Key
    resource_version: str
    record: LeaseRecord


def project_lease(body: Json) -> Lease:
    """Return the projection of a Lease. Raise `Unreadable`."""
    known, spec = fields.identity(body), fields.mapping(body, "spec")
    record = LeaseRecord(
        holder=fields.text(spec, "holderIdentity"),
        lease_seconds=max(0, fields.number(spec, "leaseDurationSeconds")),
        acquired=fields.text(spec, "acquireTime"),
        renewed=fields.text(spec, "renewTime"),
        transitions=fields.number(spec, "leaseTransitions"),
    )
    return Lease(known.key, known.resource_version, record)


def _body(key: Key, record: LeaseRecord, known: ObservedLease | None) -> Json:
    version = {"resourceVersion": known.version} if known is not None else {}
    return {
        "apiVersion": LEASES.api_version,
        "kind": LEASES.kind,
        "metadata": {"namespace": key.namespace, "name": key.name, **version},
        "spec": {
            "holderIdentity": record.holder,
            "leaseDurationSeconds": max(1, round(record.lease_seconds)),
            "acquireTime": record.acquired,
            "renewTime": record.renewed,
            "leaseTransitions": record.transitions,
        },
    }
