"""What the benches deploy, where, and how it is written: warm API calls, many at once, from this process."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from hack.cluster import Cluster, fake_nodes
from hack.commands import run
from hack.progress import step
from mill_api import names
from mill_kube.client import KubeClient
from mill_kube.resources import MILL_DEPLOYMENTS

PARALLEL = 16
"""How many requests this bench has under way at once: as many as the operator."""
MANAGER = "bench"


def mill_deployment(name: str, services: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return a MillDeployment."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name},
        "spec": {"services": list(services)},
    }


def service(name: str, replicas: int = 1) -> dict[str, Any]:
    """Return a service that a fake node runs."""
    return {
        "name": name,
        "image": "registry.example/web:1",
        "port": 8080,
        "replicas": replicas,
        "cpu": "50m",
        "memory": "64M",
        "env": {"LOG_LEVEL": "info", "CACHE": "redis.example:6379"},
    }


@contextlib.contextmanager
def fake_namespaces(cluster: Cluster, count: int, purpose: str) -> Iterator[list[str]]:
    """Have namespaces whose pods go to fake nodes while the block runs; wait until everything in them is gone."""
    found = [f"bench-{purpose}-{secrets.token_hex(3)}-{number}" for number in range(1, count + 1)]
    annotations = fake_nodes.namespace_annotations()
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": annotations}}
        for name in found
    ]
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    run(*cluster.kubectl_command("create", "-f", "-"), stdin=document)
    try:
        yield found
    finally:
        with step(f"clearing {purpose} away"):
            run(*cluster.kubectl_command("delete", "namespaces", *found, "--timeout=15m"))


async def create(client: KubeClient, namespace: str, body: dict[str, Any]) -> dict[str, Any]:
    """Create a MillDeployment."""
    return await client.create(MILL_DEPLOYMENTS, namespace, body, manager=MANAGER)


async def in_parallel(calls: Iterable[Callable[[], Awaitable[Any]]]) -> None:
    """Do everything, so many at once, in order."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(PARALLEL):
            group.create_task(work())


class Countdown:
    """Waits until so many different things have been seen; remembers when the last of them was."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._seen: set[str] = set()
        self._complete = asyncio.Event()
        self.completed_at = 0.0

    def see(self, thing: str) -> None:
        """Count a thing, once."""
        self._seen.add(thing)
        if len(self._seen) == self._expected and not self._complete.is_set():
            self.completed_at = time.monotonic()
            self._complete.set()

    async def wait(self, what: str, seconds: float) -> None:
        """Wait for the last thing; raise TimeoutError that says how many are missing."""
        try:
            async with asyncio.timeout(seconds):
                await self._complete.wait()
        except TimeoutError:
            missing = self._expected - len(self._seen)
            raise TimeoutError(f"{missing} of {self._expected} {what} are missing after {seconds:.0f} s") from None


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 60) -> None:
    """Poll until a condition holds."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        await asyncio.sleep(0.1)
