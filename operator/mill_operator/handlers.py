"""The kopf handlers: start, login, stop, and changes that kopf's watch brings. They only call the controller."""

import asyncio
import itertools
import logging
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import kopf

from mill_api import names
from mill_kube.client import KubeClient
from mill_kube.connection import STALL_SECONDS, ClientOptions
from mill_operator.caches import PAGE_SIZE
from mill_operator.controller import Controller, ControllerOptions
from mill_operator.core.leader_election import LeaseTiming
from mill_operator.endpoints import serve
from mill_operator.leader_election import LeaderElection, new_identity
from mill_operator.login import Login
from mill_operator.metrics import Metrics
from mill_operator.reconciler import ReconcilerOptions
from mill_operator.settings import Settings

log = logging.getLogger(__name__)

STALL_SHARE = STALL_SECONDS / 180
"""A silent watch is restarted after this part of the time after which `/healthz` fails."""


class EndlessBackoff:
    """The delays between kopf's attempts to reach the API server. It never gives up, as the operator's own watches do.

    The liveness probe decides when the process is restarted.
    """

    def __iter__(self) -> Iterator[float]:
        """Yield seconds, without an end."""
        return itertools.chain((1, 1, 2, 3, 5, 8, 13), itertools.repeat(20))


@dataclass(slots=True)
class Shutdown:
    """The end of this process without a signal."""

    flag: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str | None = None

    def give_up(self, reason: str) -> None:
        """End the process, with an exit code that makes Kubernetes restart it."""
        if self.reason is None:
            log.error("exiting: %s", reason)
            self.reason = reason
        self.flag.set()


def controller_options(own: Settings) -> ControllerOptions:
    """Return the controller's part of the settings."""
    return ControllerOptions(
        namespace=own.watch_namespace,
        workers=own.workers,
        cpu_share=own.cpu_share / 100,
        evidence_logs=own.evidence_logs,
        reconciler=ReconcilerOptions(own.render_options, own.max_spec_bytes),
    )


def register(
    registry: kopf.OperatorRegistry, own: Settings, listening: Sequence[socket.socket], shutdown: Shutdown
) -> None:
    """Add the handlers to a registry."""

    @kopf.on.startup(id="start", registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
        settings.posting.enabled = False
        settings.peering.standalone = True
        settings.scanning.disabled = True
        settings.watching.connect_timeout = 10
        settings.watching.chunk_size = PAGE_SIZE
        settings.networking.request_timeout = 30
        settings.networking.error_backoffs = EndlessBackoff()
        settings.process.ultimate_exiting_timeout = 25  # Kubernetes waits for 30 s
        metrics = Metrics()
        options: ClientOptions = {"observe": metrics.request, "stall_seconds": own.watch_deadline * STALL_SHARE}
        memo.election = None
        if own.leader_election:
            # Its own connections, so that a renewal never waits behind other requests.
            memo.election_client = await KubeClient.connect(own.context, **options)
            timing, identity = LeaseTiming.of(own.lease_seconds), new_identity()
            memo.election = LeaderElection(memo.election_client, own.namespace_of_lease, timing, identity=identity)
            options["may_write"] = lambda: bool(memo.election.leads)
        memo.client = await KubeClient.connect(own.context, **options)
        memo.controller = Controller(
            memo.client, controller_options(own), metrics=metrics, give_up=shutdown.give_up, election=memo.election
        )
        memo.controller.start()
        memo.server = await serve(listening, memo.controller.watches, metrics, deadline=own.watch_deadline)

    logins = Login()

    @kopf.on.login(id="login", registry=registry)
    async def login(memo: kopf.Memo, **_kwargs: Any) -> kopf.ConnectionInfo:
        return await logins(memo.client)

    @kopf.on.cleanup(id="stop", registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def stop(memo: kopf.Memo, **_: Any) -> None:
        await memo.controller.stop()
        await memo.server.cleanup()
        await memo.client.close()
        if memo.election:
            await memo.election_client.close()
        shutdown.flag.set()  # kopf waits for the task that waits for this flag, also when a signal stops it
        log.info("stopped")

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def changed(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
        # Deletions are left to our reflector, whose next list also finds those that no watch has reported.
        if event["type"] != "DELETED":
            memo.controller.put(dict(event["object"]))
