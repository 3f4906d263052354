"""Many MillDeployments with an operator that may be replaced by another one, in time that the test sets."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from mill_api.service_status import ServiceStatus, State
from mill_api.status import MillDeploymentStatus
from mill_kube.connection import Request
from mill_kube.errors import KubeError
from mill_kube.resources import DEPLOYMENTS, EVENTS, MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.reconciler import Reconciler, ReconcilerOptions
from mill_operator.update_places import UpdatePlaces
from tests.support.apiserver import ApiServer, InMemoryClient, action_of
from tests.support.deployments import Deployments
from tests.support.reconciling import written_statuses

SETTLE = timedelta(seconds=2)
NAMESPACE = "shop"
OLDER = RenderOptions(settle=SETTLE)
NEWER = RenderOptions(settle=SETTLE, restricted=True)
"""Another form of all pod templates, as another release may have it."""


def surged(name: str, **fields: Any) -> Json:
    return {"name": name, "image": "registry.example/web:1", "port": 8080, "replicas": 1, **fields}


def with_volume(name: str) -> Json:
    return surged(name, volumes=[{"name": f"{name}-data", "path": "/data", "size": "1Gi"}])


class Fleet:
    """MillDeployments, by the names of their services, and the one operator that reconciles them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
        self.server = ApiServer(now=lambda: self.now)
        self.client = InMemoryClient(self.server)
        self.deployments = Deployments(self.server, lambda: self.now)
        self.changed: set[str] = set()
        """Services whose template was changed, and which have neither settled nor failed."""
        self.begun: list[str] = []
        """Services in the order of their changes."""
        self.peak = 0
        self._queue: dict[Key, None] = {}
        self._due: dict[Key, datetime] = {}
        self._watching: list[asyncio.Task[Any]] = []
        self._templates: dict[str, str] = {}
        self.server.observers.append(self._observe)
        monkeypatch.setattr("mill_operator.publisher.time", SimpleNamespace(monotonic=self._seconds))

    def put(self, name: str, services: Iterable[Json], *, generation: int = 1) -> None:
        """Store a MillDeployment. Services have names that no other one has."""
        known = self.server.find(MILL_DEPLOYMENTS, NAMESPACE, name) or {}
        metadata = {"name": name, "namespace": NAMESPACE, "generation": generation}
        self.server.put(MILL_DEPLOYMENTS, {**known, "metadata": metadata, "spec": {"services": list(services)}})

    async def start(self, options: RenderOptions, *, last_first: bool = False) -> None:
        """Start an operator, which reconciles the last of the MillDeployments first if `last_first`."""
        self.server.requests.clear()
        self.server.answers.clear()
        self._queue.clear()
        self._due.clear()
        self.changed.clear()
        caches = Caches(self.client, None, self._requeue)
        self.places = UpdatePlaces(self._requeue)
        self.reconciler = Reconciler(
            self.client,
            caches,
            ReconcilerOptions(options, release="mill 0.2", keeps_revisions=False),
            lambda: self.now,
            self.places,
        )
        self._watching = [asyncio.create_task(each.run()) for each in caches.reflectors]
        await caches.synced()
        keys = sorted((each.key for each in caches.mill_deployments.all()), reverse=last_first)
        self.places.expect(keys)
        self._queue.clear()
        for key in keys:
            self._requeue(key)

    async def kill(self) -> None:
        """End the operator. What it has not written is lost."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def stop(self) -> None:
        """End the operator as a signal does."""
        await self.kill()
        await self.reconciler.flush()

    async def run(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, until a condition holds."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end and not until():
            self.deployments.step()
            await self._work()
            self.now += timedelta(seconds=1)

    def status(self, name: str) -> MillDeploymentStatus:
        """Return the newest status of a MillDeployment, also if it is not written yet."""
        return self.reconciler._memory[Key(NAMESPACE, name)].status

    def service(self, name: str) -> ServiceStatus:
        return next(each for each in self._services() if each.name == name)

    def has_settled(self, service: str) -> bool:
        return any(each.name == service and each.settled_at for each in self._services())

    def template(self, service: str) -> str:
        """Return the template that a Deployment has."""
        return self._templates[service]

    def is_settled(self) -> bool:
        """Return whether every service has settled or failed, with the template that its Deployment has."""
        services = self._services()
        return bool(services) and all(map(self._is_over, services))

    def events(self, reason: str) -> list[str]:
        """Return the MillDeployments that Events of a reason are about."""
        return sorted(each["involvedObject"]["name"] for each in self.server.all(EVENTS) if each["reason"] == reason)

    def status_writes(self, name: str) -> list[Json]:
        """Return the statuses of a MillDeployment that were written since the operator has started."""
        return written_statuses(self.server, name)

    def _is_over(self, service: ServiceStatus) -> bool:
        """Return whether a service has settled or failed with the template that its Deployment has."""
        has_ended = service.settled_at is not None or service.state is State.FAILED
        is_rolled_back = service.failed_template is not None
        return has_ended and (is_rolled_back or service.template == self._templates[service.name])

    def _services(self) -> list[ServiceStatus]:
        return [each for memory in self.reconciler._memory.values() for each in memory.status.services]

    def _requeue(self, key: Key) -> None:
        self._queue[key] = None

    def _seconds(self) -> float:
        return self.now.timestamp()

    async def _work(self) -> None:
        """Reconcile what is due, until nothing is."""
        await self._hear()
        for _ in range(1000):
            for key in [key for key, due in self._due.items() if due <= self.now]:
                del self._due[key]
                self._requeue(key)
            if not self._queue:
                return
            await self._reconcile(next(iter(self._queue)))
        raise AssertionError(f"reconciled without an end: {[*self._queue]}")

    async def _reconcile(self, key: Key) -> None:
        del self._queue[key]
        try:
            wait = await self.reconciler.reconcile(key)
        except KubeError:
            wait = 1.0
        if wait is not None:
            due = self.now + timedelta(seconds=wait)
            self._due[key] = min(due, self._due.get(key, due))
        self.peak = max(self.peak, len(self.changed))
        self.changed -= {each.name for each in self._services() if self._is_over(each)}
        await self._hear()

    async def _hear(self) -> None:
        """Let the watches report everything."""
        for _ in range(12):
            await asyncio.sleep(0)

    def _observe(self, request: Request, answer: Json) -> None:
        if request.resource == DEPLOYMENTS and action_of(request) == "apply":
            name, labels = answer["metadata"]["name"], answer["spec"]["template"]["metadata"]["labels"]
            if self._templates.get(name) not in (None, labels["mill.dev/template"]):
                self.changed.add(name)
                self.begun.append(name)
            self._templates[name] = labels["mill.dev/template"]
