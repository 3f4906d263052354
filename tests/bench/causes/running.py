"""All causes at once, each again and again at random moments."""

import asyncio
import json
import random
import secrets
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from hack.cluster import Cluster
from hack.commands import run
from mill_kube.client import KubeClient
from mill_kube.resources import CRON_JOBS, MILL_DEPLOYMENTS
from tests.bench.causes.cause import Cause, Json, Place, Space
from tests.bench.causes.observing import Measured, Observer
from tests.bench.causes.table import SPACES
from tests.bench.workload import MANAGER, until
from tests.e2e.objects import mill

_SPAWN_SECONDS: Final = 120.0
_GRACE_SECONDS: Final = 30.0
"""How much longer than a cause's time a verdict may take on a machine that is busy with all the others."""


@dataclass(frozen=True)
class Bench:
    """What all measurements share."""

    client: KubeClient
    cluster: Cluster
    observer: Observer
    gateway: str
    place: Place
    token: str

    def namespace(self, cause: Cause) -> str:
        """Return the namespace of a cause."""
        return f"causes-{cause.space}-{self.token}"


async def measure(
    cluster: Cluster, gateway: str, place: Place, causes: Sequence[Cause], repetitions: int, window: float
) -> list[Measured]:
    """Run every cause so often, each time at a random moment of the window, those that take longest first."""
    token = secrets.token_hex(3)
    used = {each.space: SPACES[each.space] for each in causes}
    with _spaces(cluster, token, used) as namespaces:
        async with await KubeClient.connect(cluster.context) as client:
            bench = Bench(client, cluster, Observer(client), gateway, place, token)
            async with bench.observer.watching(namespaces), asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(_repetition(bench, cause, number, window))
                    for cause in causes
                    for number in range(repetitions)
                ]
        return [each.result() for each in tasks]


@contextmanager
def _spaces(cluster: Cluster, token: str, used: dict[str, Space]) -> Iterator[list[str]]:
    """Have the namespaces, and what is in them before any service."""
    names = {key: f"causes-{key}-{token}" for key in used}
    for key, name in names.items():
        run(*cluster.kubectl_command("create", "namespace", name))
        _apply(cluster, name, used[key].before(name))
        if secret := used[key].pull_secret:
            _name_pull_secret(cluster, name, secret)
    time.sleep(3)  # policies and webhooks are in force a moment later
    try:
        yield list(names.values())
    finally:
        for name in names.values():
            run(*cluster.kubectl_command("delete", "milldeployments", "--all", "-n", name, "--wait=false"))
            run(*cluster.kubectl_command("delete", "namespace", name, "--wait=false"))
        _delete_of_cluster(cluster, names.values())


def _name_pull_secret(cluster: Cluster, namespace: str, secret: str) -> None:
    patch = json.dumps({"imagePullSecrets": [{"name": secret}]})
    wanted = ("serviceaccount", "default", "-n", namespace)
    run(*cluster.kubectl_command("wait", "--for=create", *wanted, "--timeout=30s"))
    run(*cluster.kubectl_command("patch", *wanted, "-p", patch))


def _delete_of_cluster(cluster: Cluster, namespaces: Iterable[str]) -> None:
    """Delete what belongs to no namespace, and has a namespace's name, or begins with it."""
    policies = ("validatingadmissionpolicy", "validatingadmissionpolicybinding", "validatingwebhookconfiguration")
    for name in namespaces:
        objects = [f"{each}/{name}" for each in policies]
        run(*cluster.kubectl_command("delete", *objects, "--ignore-not-found", "--wait=false"))
        found = run(*cluster.kubectl_command("get", "persistentvolumes", "-o", "name")).split()
        if volumes := [each for each in found if each.startswith(f"persistentvolume/{name}-")]:
            run(*cluster.kubectl_command("delete", *volumes, "--ignore-not-found", "--wait=false"))


def _apply(cluster: Cluster, namespace: str, objects: list[Json]) -> None:
    if objects:
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        run(*cluster.kubectl_command("apply", "-n", namespace, "-f", "-"), stdin=document)


async def _repetition(bench: Bench, cause: Cause, number: int, window: float) -> Measured:
    """Deploy the cause at a random moment, wait for the verdict, and delete it."""
    await asyncio.sleep(random.uniform(0, max(1.0, window - cause.seconds)))
    name, namespace = f"{cause.name}-{number:02}", bench.namespace(cause)
    measured = Measured(cause)
    bench.observer.expect(name, measured)
    await asyncio.to_thread(_apply, bench.cluster, namespace, cause.before(namespace, name))
    async with _applied(bench, cause, namespace, name, measured):
        try:
            async with asyncio.timeout(cause.seconds + _GRACE_SECONDS):
                await measured.has_verdict.wait()
        except TimeoutError:
            print(f"no verdict: {name}", file=sys.stderr, flush=True)
    if measured.code not in ("", cause.code):
        print(f"{name}: {measured.code}, expected {cause.code}", file=sys.stderr, flush=True)
    return measured


@asynccontextmanager
async def _applied(bench: Bench, cause: Cause, namespace: str, name: str, measured: Measured) -> AsyncIterator[None]:
    """Have the MillDeployment, and a run of its task if it has one."""
    client, spec = bench.client, {"name": name, **cause.spec(bench.place, name)}
    body = mill([] if cause.is_task else [spec])
    body["metadata"]["name"] = name
    if cause.is_task:
        body["spec"] = {"tasks": [spec]}
    measured.applied = time.monotonic()
    made = await client.create(MILL_DEPLOYMENTS, namespace, body, manager=MANAGER)
    try:
        if cause.is_task:
            await _until_task(client, namespace, name)
            measured.applied = time.monotonic()
            async with asyncio.TaskGroup() as group:
                spawning = group.create_task(_spawn(bench.gateway, namespace, name))
                yield
                spawning.cancel()
        else:
            yield
    finally:
        await client.delete(MILL_DEPLOYMENTS, namespace, name, uid=made["metadata"]["uid"])


async def _until_task(client: KubeClient, namespace: str, name: str) -> None:
    async def exists() -> bool:
        found = await client.list(CRON_JOBS, namespace)
        return any(each["metadata"]["name"] == name for each in found["items"])

    await until(exists, f"the task {name}")


async def _spawn(gateway: str, namespace: str, name: str) -> None:
    """Start a run. The answer comes when its program runs, or after a minute."""
    async with httpx.AsyncClient(base_url=gateway, timeout=_SPAWN_SECONDS) as http:
        parameters = {"namespace": namespace, "name": name}
        await http.post("/v1/tasks/spawn", params=parameters, json={"task": name})
