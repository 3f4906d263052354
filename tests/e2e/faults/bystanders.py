"""Clients beside the operator: one that writes down what becomes of objects, one that meddles with them."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from mill_kube.client import KubeClient
from mill_kube.connection import MERGE_PATCH, Request
from mill_kube.errors import NotFound
from mill_kube.resources import DEPLOYMENTS, MILL_DEPLOYMENTS, PODS, SERVICES, Resource
from tests.e2e.conftest import Namespace, wait_for

from .background import beside

PAUSE_SECONDS = 0.02
MARK = "example.com/turn"


@dataclass
class Record:
    """What became of the Deployments and Services of a namespace."""

    added: list[str] = field(default_factory=list)
    """Kind and name of each that was created."""
    deleted: list[str] = field(default_factory=list)


@contextlib.contextmanager
def recorded(namespace: Namespace) -> Iterator[Record]:
    """Write down which objects come and go while the block runs."""
    record = Record()
    began = {resource: threading.Event() for resource in (DEPLOYMENTS, SERVICES)}

    async def follow(client: KubeClient, resource: Resource) -> None:
        version = (await client.list(resource, namespace.name))["metadata"]["resourceVersion"]
        began[resource].set()
        async for event in client.watch(resource, namespace.name, resource_version=version):
            said = f"{resource.kind} {event['object']['metadata'].get('name')}"
            if event["type"] == "ADDED":
                record.added.append(said)
            elif event["type"] == "DELETED":
                record.deleted.append(said)

    async def follow_all() -> None:
        async with await KubeClient.connect(namespace.cluster.context) as client:
            await asyncio.gather(*(follow(client, resource) for resource in began))

    with beside(follow_all()):
        wait_for("the watches", lambda: all(each.is_set() for each in began.values()))
        yield record


@dataclass
class Meddler:
    """Somebody who keeps changing everything that is not the operator's business."""

    turns: int = 0


@contextlib.contextmanager
def meddled(namespace: Namespace) -> Iterator[Meddler]:
    """Change annotations and labels of the MillDeployment and all its objects, all the time while the block runs."""
    meddler = Meddler()

    async def turn(client: KubeClient) -> None:
        for resource in (MILL_DEPLOYMENTS, DEPLOYMENTS, SERVICES, PODS):
            for item in (await client.list(resource, namespace.name))["items"]:
                mark = {MARK: str(meddler.turns)}
                body = {"metadata": {"annotations": mark, "labels": mark}}
                name, query = item["metadata"]["name"], {"fieldManager": "somebody-else"}
                with contextlib.suppress(NotFound):
                    patch = Request("patch", resource, namespace.name, name, None, query, body, MERGE_PATCH)
                    await client.request(patch)

    async def meddle() -> None:
        async with await KubeClient.connect(namespace.cluster.context) as client:
            while True:
                await turn(client)
                meddler.turns += 1
                await asyncio.sleep(PAUSE_SECONDS)

    with beside(meddle()):
        yield meddler
