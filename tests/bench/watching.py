"""The API server's own watches, beside the operator: the reference for when something was so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from mill_kube.client import KubeClient
from mill_kube.errors import WatchStalled
from mill_kube.resources import Resource


@contextlib.asynccontextmanager
async def watching(
    client: KubeClient, resource: Resource, namespace: str | None, note: Callable[[dict[str, Any]], None]
) -> AsyncIterator[None]:
    """Have `note` told of each object that is there or changes, while the block runs."""
    ready = asyncio.Event()
    task = asyncio.create_task(_follow(client, resource, namespace, note, ready))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    try:
        if not task.done():
            yield
    finally:
        waiting.cancel()
        task.cancel()
        # A watch that broke has told us only half of what happened: its error ends the bench.
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _follow(
    client: KubeClient,
    resource: Resource,
    namespace: str | None,
    note: Callable[[dict[str, Any]], None],
    ready: asyncio.Event,
) -> None:
    listed = await client.list(resource, namespace)
    for each in listed["items"]:
        note(each)
    version = listed["metadata"]["resourceVersion"]
    ready.set()
    while True:
        with contextlib.suppress(WatchStalled):  # the next watch begins where this one has fallen silent
            async for event in client.watch(resource, namespace, resource_version=version):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] in ("ADDED", "MODIFIED"):
                    note(event["object"])


def is_ready(pod: dict[str, Any]) -> bool:
    """Tell whether a pod is Ready."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))


def is_finished(body: dict[str, Any]) -> bool:
    """Tell whether a MillDeployment's status has the verdict of its present spec."""
    status = body.get("status", {})
    rollout = status.get("rollout") or {}
    return status.get("observedGeneration") == body["metadata"]["generation"] and bool(rollout.get("finishedAt"))
