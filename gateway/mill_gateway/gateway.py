"""The parts of one process, and how routes get them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from mill_gateway.access import Access
from mill_gateway.exceptions.cluster import NotSynced
from mill_gateway.metrics import Metrics
from mill_gateway.services.deployments import Deployments
from mill_gateway.services.drains import Drains
from mill_gateway.services.existing import Existing
from mill_gateway.services.logs import Logs
from mill_gateway.services.nodes import Nodes
from mill_gateway.services.registries import Registries
from mill_gateway.services.revisions import Revisions
from mill_gateway.services.rollouts import Rollouts
from mill_gateway.services.runs import Runs
from mill_gateway.services.secrets import Secrets
from mill_gateway.services.spawns import Spawns
from mill_gateway.services.system_namespaces import SystemNamespaces
from mill_gateway.services.volumes import Volumes
from mill_gateway.settings import Settings
from mill_gateway.stores import Stores
from mill_gateway.streams.logs import LogSource
from mill_gateway.streams.slots import StreamSlotPool
from mill_kube.client import KubeClient
from mill_process.probes import unsynced_kinds


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one process, put together once. Only routes and the application take it; services never do."""

    settings: Settings
    client: KubeClient
    stores: Stores
    access: Access
    metrics: Metrics
    streams: StreamSlotPool
    log_source: LogSource
    deployments: Deployments
    revisions: Revisions
    rollouts: Rollouts
    runs: Runs
    spawns: Spawns
    nodes: Nodes
    drains: Drains
    logs: Logs
    secrets: Secrets
    registries: Registries
    volumes: Volumes
    system_namespaces: SystemNamespaces
    existing: Existing

    @classmethod
    def of(cls, settings: Settings, client: KubeClient, metrics: Metrics | None = None) -> "Gateway":
        """Put the parts together. `metrics` are those that observe the client's requests."""
        metrics = metrics or Metrics()
        stores = Stores(client, settings, on_run=metrics.run_changed)
        metrics.watch(stores)
        access, secrets, registries = Access(client, settings), Secrets(client), Registries(client)
        deployments = Deployments(client, stores)
        return cls(
            settings,
            client,
            stores,
            access,
            metrics,
            StreamSlotPool(settings),
            LogSource(client, stores, settings.log_queue_bytes),
            deployments,
            Revisions(client, deployments),
            Rollouts(client, stores.deployments),
            Runs(client, stores),
            Spawns(client, stores, settings),
            Nodes(client, stores.nodes, drain=settings.drain),
            Drains(client, stores),
            Logs(stores),
            secrets,
            registries,
            Volumes(client, stores),
            SystemNamespaces.of(settings),
            Existing(client, stores, access, secrets, registries),
        )


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


GatewayDep = Annotated[Gateway, Depends(_gateway)]
"""The gateway that answers a request, whether its caches are synced or not."""


def _ready(gateway: GatewayDep) -> Gateway:
    if waiting := unsynced_kinds(gateway.stores.reflectors):
        raise NotSynced(f"the gateway has only just started, and waits for {', '.join(waiting)}: try again")
    return gateway


ReadyGateway = Annotated[Gateway, Depends(_ready)]
"""The gateway that answers a request, once all its caches are synced."""
