"""All caches of one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mill_gateway.objects.claims import Claim
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.ingresses import Ingress
from mill_gateway.objects.jobs import Job
from mill_gateway.objects.pods import Pod
from mill_gateway.settings import Settings
from mill_gateway.stores.kinds import DEPLOYMENTS, INGRESSES_OF_SERVICES, PODS_OF_PROGRAMS, RUNS, VOLUMES
from mill_gateway.stores.mounts import Mounts
from mill_gateway.stores.nodes import NodeStores
from mill_gateway.stores.store import Listener, Store
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector
from mill_process.supervision import GiveUp, end, supervised


class Stores:
    """A store for each kind that routes read."""

    def __init__(
        self, client: KubeClient, settings: Settings, *, on_run: Listener[Job] = lambda _old, _new: None
    ) -> None:
        """`on_run` is called for every run that is new or changes once the first list is complete."""
        namespace = settings.watched_namespace
        self.mounts = Mounts()
        self.deployments: Store[Deployment] = Store(client, DEPLOYMENTS, namespace)
        self.pods: Store[Pod] = Store(client, PODS_OF_PROGRAMS, namespace, self.mounts.update)
        self.jobs: Store[Job] = Store(client, RUNS, namespace, self._run_changed)
        self.claims: Store[Claim] = Store(client, VOLUMES, namespace)
        self.ingresses: Store[Ingress] = Store(client, INGRESSES_OF_SERVICES, namespace)
        self.nodes = NodeStores(client) if settings.nodes else None
        """None where the gateway does not show nodes."""
        self._on_run = on_run

    @property
    def reflectors(self) -> tuple[Reflector[Any], ...]:
        """The reflectors of all stores."""
        of_nodes = (self.nodes.nodes.reflector, self.nodes.pods.reflector) if self.nodes else ()
        of_namespaces = (self.deployments, self.pods, self.jobs, self.claims, self.ingresses)
        return (*(each.reflector for each in of_namespaces), *of_nodes)

    @asynccontextmanager
    async def running(self, give_up: GiveUp) -> AsyncIterator[None]:
        """Follow the cluster while the block runs. `give_up` is called if a watch ends before the block."""
        watches = [
            supervised(each.run(), f"the watch of {each.resource.full_name}", give_up) for each in self.reflectors
        ]
        try:
            yield
        finally:
            await end(watches)

    def _run_changed(self, old: Job | None, new: Job | None) -> None:
        if self.jobs.reflector.synced.is_set():
            self._on_run(old, new)
