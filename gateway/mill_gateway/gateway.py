"""What lives as long as the process, and how routes get at it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from mill_gateway.access import Access
from mill_gateway.exceptions import NotSynced
from mill_gateway.metrics import Metrics
from mill_gateway.services.drains import Drains
from mill_gateway.settings import Settings
from mill_gateway.stores import Stores
from mill_gateway.streams.places import Streams
from mill_kube.client import KubeClient
from mill_process.probes import unfilled


@dataclass(frozen=True, slots=True)
class Gateway:
    """The process' parts."""

    settings: Settings
    client: KubeClient
    stores: Stores
    access: Access
    drains: Drains
    metrics: Metrics
    streams: Streams

    @classmethod
    def of(cls, settings: Settings, client: KubeClient, metrics: Metrics | None = None) -> "Gateway":
        """Put the parts together. `metrics` are those that the client tells of its requests."""
        metrics = metrics or Metrics()
        stores = Stores(client, settings, on_run=metrics.run_changed)
        metrics.watch(stores)
        access, drains = Access(client, settings), Drains(client, stores)
        return cls(settings, client, stores, access, drains, metrics, Streams(settings))


def _process(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


GatewayDep = Annotated[Gateway, Depends(_process)]
"""The gateway that answers a request, whether it knows the cluster or not."""


def _here(gateway: GatewayDep) -> Gateway:
    if waiting := unfilled(gateway.stores.reflectors):
        raise NotSynced(f"the gateway has only just started, and waits for {', '.join(waiting)}: try again")
    return gateway


ReadyGateway = Annotated[Gateway, Depends(_here)]
"""The gateway that answers a request, once it knows the cluster."""
