"""One small client for everything: plain dicts on the wire, content types always named, errors always raised.

`kubernetes.aio` brings configuration, credentials and TLS. Its typed methods are not used: they parse into models
that we would turn back into dicts, and the calls without models do not raise on 4xx.

```
KubeError
├── ApiError              the API server answered, and refused (status, reason, message)
│   ├── NotFound          404
│   ├── Conflict          409: exists already, or was changed by another hand
│   └── Expired           410: the watch has fallen behind; list again
├── Unreachable           no answer: refused, timed out, cut off
│   └── Silent            a watch that says nothing: dead, or of a kind that nobody has ever used
└── Withheld              not sent: who asked may not write (any more)
```
"""

import asyncio
import copy
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio import client as aio
from kubernetes.aio import config as aio_config

from mill_kube.calls import METHODS, READS, Call, Observer
from mill_kube.resources import PODS, VERSION, Resource
from mill_objects.fields import mapping, mappings, number, text
from mill_objects.json import Json
from mill_objects.printable import one_line

LARGEST_EVENT = 64 * 1024 * 1024
"""Bytes of one event of a watch: many times what etcd keeps of an object."""
WORDS_LIMIT = 8 * 1024
"""Bytes of what the API server says, or the network, as the text of an error."""
REASON_LIMIT = 253
"""Bytes of a refusal's reason: one word, but an admission webhook may write it."""

REQUEST_TIMEOUT = 30.0
"""Seconds for one request; the API server itself gives up after 60."""
FOLLOW_SECONDS = 24 * 3600.0
"""A log is followed no longer in one request; kubelets end one after four hours of silence."""
WATCH_SECONDS = 280
"""After how many seconds the server ends a watch, which then goes on where it was."""
LOG_BUFFER = 16 * 1024
"""Bytes of a log that are read at once, and about as many again that wait: most logs are followed by somebody who
reads slower than the program writes, and there may be hundreds. (Watches have 2 MiB, since an object must fit.)"""
STALL_SECONDS = 75.0
"""A watch that is silent for longer is dead: bookmarks come at least once a minute."""

APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON = "application/json"


class ClientOptions(TypedDict, total=False):
    """How a client behaves, where not as usual."""

    observe: Observer
    may_write: Callable[[], bool]
    """Asked before every write; if it says no, the write is `Withheld`."""
    stall_seconds: float
    """A watch that is silent for so long is given up: `Silent`."""
    connections: int
    """How many there may be at once; others wait. 0: any number."""


class KubeError(Exception):
    """Something went wrong between us and the API server."""


class Unreachable(KubeError):
    """The API server did not answer, or what came was no answer of an API server."""


class Silent(Unreachable):
    """A watch has said nothing for longer than bookmarks take.

    It may be dead. It may also be well: the API server sends no bookmarks for a kind of which it has seen no event.
    """


class Withheld(KubeError):
    """A write was not sent: who asked may not write (any more)."""


class ApiError(KubeError):
    """The API server refused. Its own words, or those of an admission webhook, are in `message`, as they came.

    The text of the error is one line of them, fit to be logged and shown.
    """

    def __init__(self, status: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(one_line(message, WORDS_LIMIT) or one_line(reason, REASON_LIMIT) or f"HTTP {status}")
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}

    @property
    def namespace_goes(self) -> bool:
        """Whether it was refused because the whole namespace is going, or gone: nothing is owed to it any more."""
        gone = self.status == 404 and self.details.get("kind") == "namespaces"
        return gone or any(each.get("reason") == "NamespaceTerminating" for each in mappings(self.details, "causes"))

    @property
    def retry_after(self) -> int | None:
        """After how many seconds the API server wants to be asked again; None if it does not say so."""
        seconds = number(self.details, "retryAfterSeconds")
        return seconds if seconds > 0 else None

    @classmethod
    def from_status(cls, code: int, body: bytes) -> "ApiError":
        """Make the error of a response from its `Status` object."""
        try:
            status = json.loads(body)
        except (ValueError, RecursionError):
            status = {"message": body[:4000].decode(errors="replace")[:1000]}
        if not isinstance(status, dict):
            status = {"message": str(status)[:1000]}
        kind = {404: NotFound, 409: Conflict, 410: Expired}.get(code, cls)
        reason = one_line(text(status, "reason"), REASON_LIMIT)
        return kind(code, reason, text(status, "message"), dict(mapping(status, "details")))


class NotFound(ApiError):
    """There is no such object, or no such kind."""


class Conflict(ApiError):
    """The object exists already, or has changed since it was read."""


class Expired(ApiError):
    """The resource version is too old to watch from."""


class KubeClient:
    """A connection to one API server. Use as `async with await KubeClient.connect() as client`."""

    def __init__(
        self,
        configuration: aio.Configuration,
        *,
        observe: Observer = lambda *_: None,
        may_write: Callable[[], bool] = lambda: True,
        stall_seconds: float = STALL_SECONDS,
        connections: int = 100,
    ) -> None:
        configuration.connection_pool_maxsize = connections
        # Not aiohttp's own look at the environment: for each request a thread would read `.netrc` anew, which takes
        # longer than the request, and its credentials would be sent to the API server.
        configuration.client_session_kwargs = {"trust_env": False}
        configuration.proxy = configuration.proxy or _proxy(configuration.host)
        self.configuration = configuration
        self._api = aio.ApiClient(configuration)
        self._logs: aio.ApiClient | None = None
        """Connections of logs, which have smaller buffers."""
        self._observe = observe
        self._may_write = may_write
        self._stall_seconds = stall_seconds
        self.server_ahead = timedelta(0)
        """How far the API server's clock was ahead of ours, to a second, when it answered first."""
        self._answered = False

    @classmethod
    async def connect(cls, context: str | None = None, **options: Unpack[ClientOptions]) -> Self:
        """Connect as kubectl would (`KUBECONFIG`, `~/.kube/config`), or as the pod that we run in."""
        configuration = aio.Configuration()
        if context is None and _in_pod():
            aio_config.load_incluster_config(client_configuration=configuration)
        else:
            # The library reads the variable when it is imported; we want it as it is now.
            file = os.environ.get("KUBECONFIG")
            await aio_config.load_kube_config(config_file=file, context=context, client_configuration=configuration)
        return cls(configuration, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()
        if self._logs is not None:
            await self._logs.close()

    async def server_version(self) -> Json:
        """Return what the API server says of its version: `{"major": "1", "minor": "35", "gitVersion": …}`."""
        return await self._read(await self._send(Call("get", VERSION), "/version"), "get /version")

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Return an object, or raise `NotFound`."""
        return await self.request("get", resource, namespace, name)

    async def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Json:
        """Return the list object: `items`, and `metadata.resourceVersion` to watch from.

        With a `limit` it is a page of a list as it was at one moment; while there are more, `metadata.continue` is
        what the next page comes `after`.
        """
        query = {
            "labelSelector": labels,
            "fieldSelector": fields,
            "limit": None if limit is None else str(limit),
            "continue": after,
        }
        return await self.request("list", resource, namespace, query=query)

    async def create(
        self, resource: Resource, namespace: str, body: Json, *, manager: str, dry_run: bool = False
    ) -> Json:
        """Create an object, or raise `Conflict` if there is one of that name. A dry run keeps nothing."""
        query = {"fieldManager": manager, "dryRun": _dry(dry_run)}
        return await self.request("create", resource, namespace, query=query, body=body)

    async def update(self, resource: Resource, namespace: str, body: Json, *, manager: str) -> Json:
        """Replace an object. With `metadata.resourceVersion` in `body`: only if it is as it was then (`Conflict`)."""
        name = body["metadata"]["name"]
        return await self.request("update", resource, namespace, name, query={"fieldManager": manager}, body=body)

    async def apply(self, resource: Resource, namespace: str, body: Json, *, manager: str) -> Json:
        """Server-side apply: what `body` names becomes ours, what we named before and no longer do goes.

        Controllers take fields that they need from other managers (`force`); what they leave out stays others'.
        With `metadata.uid` in `body`, another object of the same name is refused with `Conflict`.
        """
        name = body["metadata"]["name"]
        query = {"fieldManager": manager, "force": "true"}
        return await self.request("patch", resource, namespace, name, query=query, body=body, content_type=APPLY)

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
        return await self.request(
            "patch", resource, namespace, name, query=query, body=operations, content_type=JSON_PATCH
        )

    async def merge_patch(
        self, resource: Resource, namespace: str | None, name: str, body: Json, *, manager: str, dry_run: bool = False
    ) -> Json:
        """Merge into an object: maps are merged, lists replaced. A dry run keeps nothing."""
        query = {"fieldManager": manager, "dryRun": _dry(dry_run)}
        return await self.request("patch", resource, namespace, name, query=query, body=body, content_type=MERGE_PATCH)

    async def merge_status(self, resource: Resource, namespace: str, name: str, body: Json, *, manager: str) -> Json:
        """Merge into an object's status. Maps are merged, so that what is to go must be an explicit null."""
        query = {"fieldManager": manager}
        return await self.request(
            "patch", resource, namespace, name, "status", query=query, body=body, content_type=MERGE_PATCH
        )

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str, propagation: str = "Background"
    ) -> Json:
        """Delete exactly the object of that uid; another of the same name is left alone (`Conflict`)."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": propagation}
        return await self.request("delete", resource, namespace, name, body=body)

    async def watch(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        resource_version: str,
        labels: str | None = None,
        fields: str | None = None,
    ) -> AsyncIterator[Json]:
        """Yield watch events until the server ends the watch. Raise `Silent` when it says nothing any more."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_SECONDS),
            "labelSelector": labels,
            "fieldSelector": fields,
        }
        path = resource.path(namespace)
        response = await self._send(Call("watch", resource), path, query, timeout=WATCH_SECONDS + 20)
        try:
            async with aclosing(self._lines(response.content)) as lines:
                async for line in lines:
                    yield self._event(line)
        finally:
            response.close()

    @staticmethod
    def _event(line: bytes) -> Json:
        event = _json(line, "an event of a watch")
        kind, body = event.get("type"), event.get("object")
        if not isinstance(kind, str) or not isinstance(body, dict):
            raise Unreachable("an event of a watch has no type or no object")
        if kind == "ERROR":  # an expired watch is HTTP 200 with the 410 inside
            raise ApiError.from_status(number(body, "code", 500), json.dumps(body).encode())
        return event

    async def _lines(self, content: aiohttp.StreamReader) -> AsyncGenerator[bytes]:
        """Yield the lines of a watch. `readline` fails at 4 MiB; JSON writes some letters of an object in six bytes."""
        begun = bytearray()
        while True:
            try:
                # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with a line.
                async with asyncio.timeout(self._stall_seconds):
                    part = await content.readany()
            except TimeoutError as error:
                raise Silent(f"silent for {self._stall_seconds:.3g} s") from error
            except (aiohttp.ClientError, OSError) as error:
                raise Unreachable(f"cut off: {_words(error)}") from error
            if not part:
                return  # half a line is no event: the next watch begins before it
            *lines, rest = part.split(b"\n")
            for line in lines:
                yield bytes(begun + line)
                begun.clear()
            begun += rest
            if len(begun) > LARGEST_EVENT:
                raise Unreachable(f"an event of more than {LARGEST_EVENT} bytes")

    async def logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str,
        follow: bool = False,
        previous: bool = False,
        tail: int | None = None,
        since: str | None = None,
    ) -> AsyncGenerator[bytes]:
        """Yield what a container writes, in chunks as they come; each line begins with its time.

        `since` is RFC 3339 with whole seconds, which is all that Kubernetes looks at. Raises `ApiError` before the
        first chunk if there is nothing to read, `Unreachable` if it breaks off.
        """
        query = {
            "container": container,
            "timestamps": "true",
            "follow": "true" if follow else None,
            "previous": "true" if previous else None,
            "tailLines": None if tail is None else str(tail),
            "sinceTime": since,
        }
        call, path = Call("get", PODS, "log"), PODS.path(namespace, pod, "log")
        # Of one that ends, each part must come in time when it is waited for; not the whole, which takes as long as its
        # reader. (aiohttp's own `sock_read` also runs while nobody reads, where buffers are as small as these.)
        each = None if follow else REQUEST_TIMEOUT
        timeout = aiohttp.ClientTimeout(FOLLOW_SECONDS if follow else None)
        response: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(each):
                response = await self._send(call, path, query, timeout=timeout, api=self._of_logs())
            while True:
                async with asyncio.timeout(each):
                    chunk = await response.content.read(LOG_BUFFER)
                if not chunk:
                    return
                yield chunk
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(f"logs of {namespace}/{pod}: cut off: {_words(error)}") from error
        finally:
            if response is not None:
                response.close()

    def _of_logs(self) -> aio.ApiClient:
        if self._logs is None:
            configuration = copy.copy(self.configuration)
            configuration.client_session_kwargs = {
                **self.configuration.client_session_kwargs,
                "read_bufsize": LOG_BUFFER,
            }
            self._logs = aio.ApiClient(configuration)
        return self._logs

    async def request(
        self,
        verb: str,
        resource: Resource,
        namespace: str | None,
        name: str | None = None,
        subresource: str | None = None,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Any = None,
        content_type: str = JSON,
    ) -> Json:
        """Send one request and return the JSON of its answer."""
        path = resource.path(namespace, name, subresource)
        response = await self._send(Call(verb, resource, subresource), path, query, body, content_type)
        return await self._read(response, f"{verb} {path}")

    async def _read(self, response: aiohttp.ClientResponse, request: str) -> Json:
        try:
            answer = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(f"{request}: {_words(error)}") from error
        return _json(answer, f"the answer to {request}")

    async def _send(
        self,
        call: Call,
        path: str,
        query: Mapping[str, str | None] | None = None,
        body: Any = None,
        content_type: str = JSON,
        timeout: float | aiohttp.ClientTimeout = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed on to aiohttp, which ends the request itself
        api: aio.ApiClient | None = None,
    ) -> aiohttp.ClientResponse:
        if call.verb not in READS and not self._may_write():
            raise Withheld(f"{call.verb} {path}: withheld")
        started = time.monotonic()
        api = api or self._api
        request = await api.param_serialize(
            METHODS[call.verb],
            path,
            query_params=[(key, value) for key, value in (query or {}).items() if value is not None],
            header_params={"Accept": JSON, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response: aiohttp.ClientResponse = (await api.call_api(*request, _request_timeout=timeout)).response
            refusal = await response.read() if response.status >= 400 else None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._observe(call, None, time.monotonic() - started)
            raise Unreachable(f"{call.verb} {path}: {_words(error)}") from error
        self._observe(call, response.status, time.monotonic() - started)
        if not self._answered and "Date" in response.headers:
            self._answered = True
            self.server_ahead = _ahead(response.headers["Date"], datetime.now(UTC))
        if refusal is not None:  # raw calls do not raise by themselves
            raise ApiError.from_status(response.status, refusal)
        return response


def _json(answer: bytes, what: str) -> Json:
    """Read what the API server sends, which is always an object."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unreachable(f"{what} is no JSON object: something else than an API server has answered")
    return found


def _ahead(date: str, now: datetime) -> timedelta:
    """Return how far the clock is ahead of ours that wrote a `Date` header; 0 if it cannot be read."""
    try:
        then = parsedate_to_datetime(date)
        return (then if then.tzinfo else then.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return timedelta(0)


def _dry(wanted: bool) -> str | None:  # noqa: FBT001 - the query parameter itself
    """Return the query parameter that has the API server check everything and keep nothing."""
    return "All" if wanted else None


def _proxy(server: str) -> str | None:
    """Return the proxy that the environment names for the API server, unless it names an exception."""
    address = urlsplit(server)
    return None if proxy_bypass(address.hostname or "") else getproxies().get(address.scheme)


def _in_pod() -> bool:
    """Tell whether a pod's own account is what to use: where no kubeconfig says otherwise."""
    named = "KUBECONFIG" in os.environ or Path("~/.kube/config").expanduser().exists()
    return "KUBERNETES_SERVICE_HOST" in os.environ and not named


def _words(error: Exception) -> str:
    """Say in one line what happened: a time-out has no text of its own."""
    return one_line(str(error), WORDS_LIMIT) or type(error).__name__
