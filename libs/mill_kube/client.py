"""The client of the API server, by Kubernetes' verbs: plain dicts in and out, errors always raised."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from types import TracebackType
from typing import Self

from mill_kube.connection import (
    APPLY,
    JSON,
    JSON_PATCH,
    MERGE_PATCH,
    METADATA,
    METADATA_LIST,
    Connection,
    Request,
)
from mill_kube.logs import LogOptions, read_log
from mill_kube.resources import VERSION, Resource
from mill_kube.watching import WATCH_SECONDS, watch_events
from mill_objects.json import Json


class KubeClient(Connection):
    """A connection to one API server. Use as `async with await KubeClient.connect() as client`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def server_version(self) -> Json:
        """Return the API server's version: `{"major": "1", "minor": "35", "gitVersion": …}`."""
        return await self.request(Request("get", VERSION))

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Return an object, or raise `NotFound`."""
        return await self.request(Request("get", resource, namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        metadata_only: bool = False,
    ) -> Json:
        """Return the list object: `items`, and `metadata.resourceVersion` to watch from.

        With a `limit` it is a page of a list as it was at one moment; while there are more, `metadata.continue` is
        what the next page comes `after`. With `metadata_only` each item has its metadata and nothing else.
        """
        query = {
            "labelSelector": labels,
            "fieldSelector": fields,
            "limit": None if limit is None else str(limit),
            "continue": after,
        }
        accept = METADATA_LIST if metadata_only else JSON
        return await self.request(Request("list", resource, namespace, query=query, accept=accept))

    async def create(
        self,
        resource: Resource,
        namespace: str,
        body: Json,
        *,
        manager: str,
        dry_run: bool = False,
        content_type: str = JSON,
    ) -> Json:
        """Create an object, or raise `Conflict` if there is one of that name. A dry run keeps nothing."""
        query = {"fieldManager": manager, "dryRun": _dry(dry_run)}
        return await self.request(Request("create", resource, namespace, None, None, query, body, content_type))

    async def update(
        self, resource: Resource, namespace: str, body: Json, *, manager: str, content_type: str = JSON
    ) -> Json:
        """Replace an object. With `metadata.resourceVersion` in `body`: only if it is as it was then (`Conflict`)."""
        name, query = body["metadata"]["name"], {"fieldManager": manager}
        return await self.request(Request("update", resource, namespace, name, None, query, body, content_type))

    async def apply(self, resource: Resource, namespace: str, body: Json, *, manager: str, force: bool = True) -> Json:
        """Server-side apply: what `body` names becomes ours, what we named before and no longer do goes.

        Controllers take fields that they need from other managers (`force`); what they leave out stays others'.
        Without `force`, another manager's field that would change is a `Conflict`. With `metadata.uid` in `body`, a
        missing object is refused with `Conflict`, and another object of the same name with 422. With
        `metadata.resourceVersion`, an object of another version is a `Conflict`, and a missing one is created.
        """
        name, query = body["metadata"]["name"], {"fieldManager": manager, "force": "true" if force else None}
        return await self.request(Request("patch", resource, namespace, name, None, query, body, APPLY))

    async def json_patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        operations: Sequence[Json],
        *,
        manager: str,
        dry_run: bool = False,
    ) -> Json:
        """Change parts of an object, all or none of them. A dry run keeps nothing."""
        query = {"fieldManager": manager, "dryRun": _dry(dry_run)}
        # A list, since `kubernetes.aio` sends any other sequence as a merge patch.
        return await self.request(Request("patch", resource, namespace, name, None, query, [*operations], JSON_PATCH))

    async def merge_patch(
        self, resource: Resource, namespace: str | None, name: str, body: Json, *, manager: str, dry_run: bool = False
    ) -> Json:
        """Merge into an object: maps are merged, lists replaced. A dry run keeps nothing."""
        query = {"fieldManager": manager, "dryRun": _dry(dry_run)}
        return await self.request(Request("patch", resource, namespace, name, None, query, body, MERGE_PATCH))

    async def replace_status(
        self, resource: Resource, namespace: str, name: str, status: Json, *, uid: str, manager: str
    ) -> Json:
        """Replace the status of exactly the object of that uid. For another one of the name raise a failed patch.

        A merge patch could not tell them apart: the API server ignores the metadata in a status of a custom resource.
        """
        operations = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": status},
        ]
        query = {"fieldManager": manager}
        return await self.request(Request("patch", resource, namespace, name, "status", query, operations, JSON_PATCH))

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str, propagation: str = "Background"
    ) -> Json:
        """Delete exactly the object of that uid; another of the same name is left alone (`Conflict`)."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": propagation}
        return await self.request(Request("delete", resource, namespace, name, body=body))

    def watch(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        resource_version: str,
        labels: str | None = None,
        fields: str | None = None,
        metadata_only: bool = False,
    ) -> AsyncIterator[Json]:
        """Yield watch events until the server ends the watch. Raise `WatchStalled` when it sends nothing any more."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_SECONDS),
            "labelSelector": labels,
            "fieldSelector": fields,
        }
        accept = METADATA if metadata_only else JSON
        return watch_events(self, Request("watch", resource, namespace, query=query, accept=accept))

    def logs(self, namespace: str, pod: str, options: LogOptions) -> AsyncGenerator[bytes]:
        """Yield what a container writes, in chunks as they come; see `read_log`."""
        return read_log(self, namespace, pod, options)


def _dry(wanted: bool) -> str | None:  # noqa: FBT001 - the query parameter itself
    """Return the query parameter that has the API server check everything and keep nothing."""
    return "All" if wanted else None
