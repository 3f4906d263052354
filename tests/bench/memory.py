"""What the operator keeps of MillDeployments, and what a pass costs: `make bench-memory`. Needs no cluster.

The API server is played from memory: it takes what is applied, and says nothing of its own but what is learned here.
Figures only; nothing here fails.
"""

import asyncio
import gc
import json
import random
import string
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self, cast

from mill_kube.client import KubeClient
from mill_kube.errors import NotFound
from mill_kube.resources import Resource
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.core import timestamps
from mill_operator.core.objects.service import DEFAULT_SETTLE
from mill_operator.cpu_time import CpuMeter, metered
from mill_operator.reconciler import Reconciler, ReconcilerOptions
from tests.bench import figures

Json = dict[str, Any]

CREATED = "2026-01-01T00:00:00Z"
TICK_SECONDS = 0.001


class Server:
    """Takes every write, and keeps nothing but the last status and Deployments."""

    def __init__(self) -> None:
        self.version = 1
        self.status: Json = {}
        self.deployments: list[Json] = []
        self.applied = 0

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        raise NotFound(404, "NotFound", f"{resource.plural} {namespace}/{name} not found")

    async def list(self, *_: Any, **__: Any) -> Json:
        return {"items": []}

    async def create(self, *_: Any, **__: Any) -> Json:
        return {}

    async def apply(self, resource: Resource, _namespace: str, body: Json, **_: Any) -> Json:
        self.applied += 1
        self.version += 1
        body = json.loads(json.dumps(body))
        body["metadata"] |= {"uid": f"{resource.kind}-{self.version}", "resourceVersion": str(self.version)}
        body["metadata"] |= {"creationTimestamp": CREATED, "generation": 1}
        if resource.kind == "Deployment":
            self.deployments.append(body)
        await asyncio.sleep(0.001)
        return cast("Json", body)

    async def replace_status(self, _resource: Resource, _namespace: str, _name: str, status: Json, **_: Any) -> Json:
        self.status = json.loads(json.dumps(status))
        return {}


class Operator:
    """A reconciler with its stores, for one resource at a time."""

    def __init__(self) -> None:
        self.server = Server()
        client = cast("KubeClient", self.server)
        self.caches = Caches(client, None, lambda _key: None)
        self._ahead = timedelta(0)
        """How far the operator's clock is ahead: settling windows end without waiting."""
        self.reconciler = Reconciler(client, self.caches, ReconcilerOptions(keeps_revisions=False), self._now)

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def settle(self, name: str, spec: Json, *, replicas: int) -> None:
        """Have a resource rolled out, with pods that stay ready, as its watches would tell it."""
        self.see(name, spec)
        key = Key("shop", name)
        await self.reconciler.reconcile(key)
        for deployment in self.server.deployments:
            self._start_pods(deployment, replicas)
        for _ in ("healthy", "settled"):
            await self.reconciler.reconcile(key)
            await self.reconciler.flush()
            self.see(name, spec)
            self._ahead += DEFAULT_SETTLE + timedelta(seconds=1)
        if self.server.status["rollout"].get("success") is not True:
            raise RuntimeError(f"{name} has not settled: {self.server.status['conditions']}")

    def _start_pods(self, deployment: Json, replicas: int) -> None:
        """Learn that the pods of a Deployment are ready, and that it calls them available."""
        for number in range(replicas):
            self.caches._pods.put(_pod(deployment, number, self._now()))
        self.server.version += 1
        body = {
            "metadata": deployment["metadata"] | {"resourceVersion": str(self.server.version)},
            "spec": {"replicas": replicas} | deployment["spec"],
            "status": {"availableReplicas": replicas, "observedGeneration": 1},
        }
        self.caches._children["Deployment"].put(body)

    def see(self, name: str, spec: Json, *, generation: int = 1, annotations: Json | None = None) -> None:
        """Learn of a resource, as one watch event is read."""
        self.server.version += 1
        meta = {"name": name, "namespace": "shop", "uid": f"uid-of-{name}", "generation": generation}
        meta |= {"resourceVersion": str(self.server.version), "creationTimestamp": CREATED}
        body = {"metadata": meta | {"annotations": annotations or {}}, "spec": spec, "status": self.server.status}
        self.caches.mill_deployments.put(json.loads(json.dumps(body)))


def _pod(deployment: Json, number: int, created: datetime) -> Json:
    service, template = deployment["metadata"]["name"], deployment["spec"]["template"]
    image = template["spec"]["containers"][0]["image"]
    container = {
        "name": service,
        "image": image,
        "ready": True,
        "state": {"running": {"startedAt": CREATED}},
    }
    conditions = [{"type": each, "status": "True", "lastTransitionTime": CREATED} for each in ("PodScheduled", "Ready")]
    name = f"{service}-7d9c6b8f5-{number:05}"
    meta = {"name": name, "namespace": "shop", "uid": f"pod-uid-{name}", "resourceVersion": "3"}
    meta["labels"] = template["metadata"]["labels"]
    return {
        "metadata": meta | {"creationTimestamp": timestamps.render(created)},
        "spec": {"nodeName": "node-1", "containers": [{"name": service, "image": image}]},
        "status": {
            "phase": "Running",
            "startTime": CREATED,
            "conditions": conditions,
            "containerStatuses": [container],
        },
    }


def empty_variables(services: int = 200, variables: int = 400) -> Json:
    """Return a spec that is nothing but names: 0.95 MB of JSON."""
    env = {f"V{number}": "" for number in range(variables)}
    return {"services": [{"name": f"s-{each}", "image": "web:1", "env": env} for each in range(services)]}


def texts(services: int = 200, size: int = 2500) -> Json:
    """Return a spec of long values that do not compress."""
    letters = random.Random(1)
    values = ["".join(letters.choices(string.ascii_letters + string.digits, k=size)) for _ in range(services)]
    return {"services": [{"name": f"s-{n}", "image": "web:1", "env": {"A": text}} for n, text in enumerate(values)]}


def references(services: int = 200, count: int = 200) -> Json:
    """Return a spec of nothing but references."""
    return {
        "services": [
            {"name": f"s-{n}", "image": "web:1", "env": {"A": "${secret(a)}" * count}} for n in range(services)
        ]
    }


def ordinary(count: int, number: int = 0) -> Json:
    """Return services as people write them."""
    env = {"LOG_LEVEL": "info", "CACHE": "redis.example:6379"}
    common = {"image": "registry.example/web:1", "port": 8080, "replicas": 1, "cpu": "50m", "memory": "64M"}
    return {"services": [{"name": f"web-{number}-{n}", **common, "env": env} for n in range(count)]}


def restarted(spec: Json, value: str) -> Json:
    """Return the annotation that restarts the first service."""
    return {f"restart.mill.dev/{spec['services'][0]['name']}": value}


async def kept(make: Callable[[], Iterator[Json]], replicas: int) -> tuple[float, float, float]:
    """Return MB of JSON, MB that are kept of it, and what of these are other objects' facts."""
    operator = Operator()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    size = 0
    for number, spec in enumerate(make()):
        size += len(json.dumps(spec, separators=(",", ":")))
        await operator.settle(f"mill-{number}", spec, replicas=replicas)
        operator.server.status = {}
        operator.server.deployments.clear()
    del spec
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    for each in (operator.caches._pods, *operator.caches._children.values()):
        each._objects.clear()
        each._groups.clear()
    gc.collect()
    own = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / 1e6, (own - before) / 1e6, (after - own) / 1e6


class Ticker:
    """Measures for how long the event loop was held at most."""

    async def __aenter__(self) -> Self:
        self.longest = 0.0
        self._task = asyncio.create_task(self._tick())
        await asyncio.sleep(0.01)
        self.longest = 0.0
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(2 * TICK_SECONDS)
        self._task.cancel()

    async def _tick(self) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.perf_counter()
            self.longest = max(self.longest, now - before - TICK_SECONDS)
            before = now


async def passes(spec: Json, replicas: int) -> list[float]:
    """Return ms of CPU of the first pass, of one that changes nothing, of a restart; and how long the loop was held."""
    operator, key = Operator(), Key("shop", "mill")
    operator.see("mill", spec)
    result = []
    held = 0.0

    async def timed() -> float:
        nonlocal held
        began = time.process_time()
        async with Ticker() as ticker:
            await metered(operator.reconciler.reconcile(key), CpuMeter())
        held = max(held, ticker.longest)
        return 1000 * (time.process_time() - began)

    result.append(await timed())
    await operator.settle("mill", spec, replicas=replicas)
    result.append(await timed())
    operator.see("mill", spec, annotations=restarted(spec, "1"))
    result.append(await timed())
    return [*result, 1000 * held]


async def measure() -> None:
    """Print the tables."""
    figures.heading("kept of settled MillDeployments, MB", "JSON", "own", "facts")
    rows: list[tuple[str, Callable[[], Iterator[Json]], int]] = [
        ("200 services of 400 empty variables", lambda: iter([empty_variables()]), 1),
        ("200 services of one long random text each", lambda: iter([texts()]), 1),
        ("200 services of 200 references each", lambda: iter([references()]), 1),
        ("10,000 ordinary services in 500 MillDeployments", lambda: (ordinary(20, n) for n in range(500)), 1),
        ("10,000 ordinary services in 50 MillDeployments", lambda: (ordinary(200, n) for n in range(50)), 1),
    ]
    for name, make, replicas in rows:
        figures.row(name, *await kept(make, replicas), digits=2)
    figures.heading("a pass, ms of CPU", "first", "settled", "restart", "loop held")
    for name, spec, replicas in (
        ("200 services of 400 empty variables", empty_variables(), 1),
        ("200 services of one long random text each", texts(), 1),
        ("200 services of 200 references each", references(), 1),
        ("200 ordinary services, 10 replicas each", ordinary(200), 10),
        ("2 ordinary services", ordinary(2), 1),
    ):
        figures.row(name, *await passes(spec, replicas))


if __name__ == "__main__":
    asyncio.run(measure())
