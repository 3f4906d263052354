"""All watches of the process together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mill_gateway.settings import Settings
from mill_gateway.stores.claims import Claims
from mill_gateway.stores.deployments import Deployments
from mill_gateway.stores.jobs import Jobs, OnRun
from mill_gateway.stores.nodes import Nodes
from mill_gateway.stores.pods import Pods
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector
from mill_process.supervision import GiveUp, end, supervised


class Stores:
    """A store for each kind that routes read."""

    def __init__(self, client: KubeClient, settings: Settings, *, on_run: OnRun = lambda _old, _new: None) -> None:
        namespace = settings.watched_namespace
        self.deployments = Deployments(client, namespace)
        self.pods = Pods(client, namespace)
        self.jobs = Jobs(client, namespace, on_run)
        self.claims = Claims(client, namespace)
        self.nodes = Nodes(client) if settings.nodes else None
        """None where nodes are not to be shown."""

    @property
    def reflectors(self) -> tuple[Reflector[Any], ...]:
        """Return what has to be run."""
        of_nodes = (self.nodes.reflector, self.nodes.tenants) if self.nodes else ()
        of_namespaces = (self.deployments, self.pods, self.jobs, self.claims)
        return (*(each.reflector for each in of_namespaces), *of_nodes)

    @asynccontextmanager
    async def running(self, give_up: GiveUp) -> AsyncIterator[None]:
        """Follow the cluster while the block runs. `give_up` is called if a watch ends before."""
        watches = [
            supervised(each.run(), f"the watch of {each.resource.full_name}", give_up) for each in self.reflectors
        ]
        try:
            yield
        finally:
            await end(watches)
