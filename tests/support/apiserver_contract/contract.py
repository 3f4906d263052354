"""An API server under test, and the objects that the checks make."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, cast

from mill_kube.client import KubeClient
from mill_kube.resources import SECRETS, Resource
from mill_objects.json import Json

MANAGER: Final = "mill.dev/contract"
LABEL: Final = "mill.dev/contract"
WATCH_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Contract:
    """An API server, and a namespace in it that may be written to."""

    client: KubeClient
    namespace: str

    async def create(self, name: str, *, labels: dict[str, str] | None = None, **data: str) -> Json:
        body = secret(name, labels=labels, **data)
        return await self.client.create(SECRETS, self.namespace, body, manager=MANAGER)

    async def merge(self, name: str, patch: Json) -> Json:
        return await self.client.merge_patch(SECRETS, self.namespace, name, patch, manager=MANAGER)

    async def apply(self, name: str, manager: str, **data: str) -> Json:
        return await self.client.apply(SECRETS, self.namespace, secret(name, **data), manager=manager)

    async def first_apply(self, name: str, manager: str, *, version: str | None = None, **data: str) -> Json:
        """Apply without `force`, to an object of a version if one is given."""
        body = secret(name, **data)
        if version is not None:
            body["metadata"]["resourceVersion"] = version
        return await self.client.apply(SECRETS, self.namespace, body, manager=manager, force=False)

    async def get(self, name: str, resource: Resource = SECRETS) -> Json:
        return await self.client.get(resource, self.namespace, name)

    async def version(self) -> str:
        """Return the current resource version, to watch from."""
        return cast("str", (await self.client.list(SECRETS, self.namespace))["metadata"]["resourceVersion"])

    async def events(self, count: int, version: str, **selectors: str) -> list[tuple[str, str]]:
        """Return the next `count` events of Secrets since a version, as type and name; check their versions."""
        found: list[Json] = []
        watch = self.client.watch(SECRETS, self.namespace, resource_version=version, **selectors)
        async with asyncio.timeout(WATCH_SECONDS), aclosing(cast("Any", watch)) as events:
            async for event in events:
                if event["type"] != "BOOKMARK":
                    found.append(event)
                if len(found) == count:
                    break
        versions = [version_of(each["object"]) for each in found]
        assert versions == sorted(set(versions)), "each event has a newer version"
        assert not versions or versions[0] > int(version)
        return [(each["type"], each["object"]["metadata"]["name"]) for each in found]


def secret(name: str, *, labels: dict[str, str] | None = None, **data: str) -> Json:
    """Return a Secret. The values must be base64."""
    meta = {"name": name, "labels": {LABEL: "yes", **(labels or {})}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data}


def version_of(body: Json) -> int:
    return int(body["metadata"]["resourceVersion"])
