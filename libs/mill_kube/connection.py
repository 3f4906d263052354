"""Requests to one API server: content types always named, errors always raised.

`kubernetes.aio` brings configuration, credentials and TLS. Its typed methods are not used: they parse into models
that we would turn back into dicts, and the calls without models do not raise on 4xx.
"""

import copy
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self, TypedDict, Unpack
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio import client as aio
from kubernetes.aio import config as aio_config

from mill_kube.calls import METHODS, READS, Call, Observer
from mill_kube.errors import ApiError, Unreachable, WriteFenced, describe
from mill_kube.pod_account import TOKEN_ERRORS, PodAccount, in_pod
from mill_kube.resources import Resource
from mill_objects.json import Json

REQUEST_TIMEOUT = 30.0
"""Seconds for one request; the API server itself gives up after 60."""
STALL_SECONDS = 75.0
"""A watch that is silent for longer is dead: bookmarks come at least once a minute."""
LOG_BUFFER = 16 * 1024
"""Bytes of a log that are read at once, and about as many again that wait: most logs are followed by a reader that is
slower than the program, and there may be hundreds. (Watches have 2 MiB, since an object must fit.)"""

APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON = "application/json"
YAML = "application/yaml"
"""The API server translates it, and keeps parts without a schema as it writes JSON itself, whatever the client does."""
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Objects with nothing but their metadata."""
UNAUTHORIZED: Final = 401


_NOT_IN_YAML: Final = re.compile("[\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ufffe\\uffff]")
"""What is not printable there, or ends a line."""


class ClientOptions(TypedDict, total=False):
    """Options of a client that differ from the defaults."""

    observe: Observer
    may_write: Callable[[], bool]
    """Called before every write; if it returns False, the write is `WriteFenced`."""
    stall_seconds: float
    """A watch that is silent for so long is given up: `WatchStalled`."""
    connections: int
    """Maximum of connections at once; other requests wait. 0: no maximum."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the API server."""

    verb: str
    """Verb of Kubernetes: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`."""
    resource: Resource
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None
    query: Mapping[str, str | None] = field(default_factory=dict)
    """Parameters; those that are None are left out."""
    body: Any = None
    content_type: str = JSON
    accept: str = JSON

    @property
    def call(self) -> Call:
        """The request in the terms of access rules."""
        return Call(self.verb, self.resource, self.subresource)

    @property
    def path(self) -> str:
        """Its path on the server."""
        return self.resource.path(self.namespace, self.name, self.subresource)

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


class Connection:
    """Connections to one API server."""

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
        # Not aiohttp's own reading of the environment: for each request a thread would read `.netrc`, which takes
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
        """Time by which the API server's clock was ahead of this process's at the first answer, to a second."""
        self._answered = False
        self._account: PodAccount | None = None
        """The account of the pod, whose token the kubelet replaces."""

    @classmethod
    async def connect(cls, context: str | None = None, **options: Unpack[ClientOptions]) -> Self:
        """Connect as kubectl would (`KUBECONFIG`, `~/.kube/config`), or as the pod that we run in."""
        configuration = aio.Configuration()
        if context is None and in_pod():
            account = PodAccount()
            account.load_and_set(configuration)
            connection = cls(configuration, **options)
            connection._account = account
            return connection
        # The library reads the variable when it is imported; we want it as it is now.
        file = os.environ.get("KUBECONFIG")
        await aio_config.load_kube_config(config_file=file, context=context, client_configuration=configuration)
        return cls(configuration, **options)

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()
        if self._logs is not None:
            await self._logs.close()

    @property
    def stall_seconds(self) -> float:
        """Seconds of silence after which a watch is closed."""
        return self._stall_seconds

    async def request(self, request: Request) -> Json:
        """Send a request and return the JSON object of its answer."""
        response = await self.send(request)
        try:
            answer = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(f"{request}: {describe(error)}") from error
        return json_object(answer, f"the answer to {request}")

    async def send(
        self,
        request: Request,
        timeout: float | aiohttp.ClientTimeout = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed on to aiohttp, which ends the request itself
        *,
        small_buffer: bool = False,
    ) -> aiohttp.ClientResponse:
        """Send a request and return the response, whose body is to be read. Raise `ApiError` for a refusal.

        `small_buffer` is for bodies that are read slowly.
        """
        api = self._with_small_buffer() if small_buffer else self._api
        await self._read_token(request, api.configuration)
        sent = self._account and self._account.token
        try:
            return await self._send(request, api, timeout)
        except ApiError as error:
            if error.status != UNAUTHORIZED or self._account is None:
                raise
            self.forget_token()
            await self._read_token(request, api.configuration)
            if self._account.token == sent:
                raise
        return await self._send(request, api, timeout)

    def forget_token(self) -> None:
        """Have the token of the pod's account read again for the next request, since the last one was refused."""
        if self._account is not None:
            self._account.forget()

    async def _send(
        self, request: Request, api: aio.ApiClient, limit: float | aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        call = request.call
        if call.verb not in READS and not self._may_write():
            raise WriteFenced(f"{request}: not sent, since another replica leads")
        started = time.monotonic()
        body, content_type = _encoded(request)
        serialized = await api.param_serialize(
            METHODS[call.verb],
            request.path,
            query_params=[(key, value) for key, value in request.query.items() if value is not None],
            header_params={"Accept": request.accept, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response: aiohttp.ClientResponse = (await api.call_api(*serialized, _request_timeout=limit)).response
            refusal = await response.read() if response.status >= 400 else None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._observe(call, None, time.monotonic() - started)
            raise Unreachable(f"{request}: {describe(error)}") from error
        self._observe(call, response.status, time.monotonic() - started)
        if not self._answered and "Date" in response.headers:
            self._answered = True
            self.server_ahead = _ahead(response.headers["Date"], datetime.now(UTC))
        if refusal is not None:  # raw calls do not raise by themselves
            raise ApiError.from_status(response.status, refusal)
        return response

    @staticmethod
    async def _read_token(request: Request, configuration: aio.Configuration) -> None:
        """Have the token that the file has now, if it was read more than a minute ago: the kubelet replaces it."""
        try:
            await configuration.get_api_key_with_prefix("BearerToken")
        except TOKEN_ERRORS as error:
            raise Unreachable(f"{request}: the token of the pod's account cannot be read: {error}") from error

    def _with_small_buffer(self) -> aio.ApiClient:
        if self._logs is None:
            configuration = copy.copy(self.configuration)
            configuration.client_session_kwargs = {
                **self.configuration.client_session_kwargs,
                "read_bufsize": LOG_BUFFER,
            }
            self._logs = aio.ApiClient(configuration)
        return self._logs


def _encoded(request: Request) -> tuple[Any, str]:
    """Return the body of a request, and its content type.

    `kubernetes.aio` encodes what it takes for JSON, also an apply: with pairs of escapes for some characters, such as
    emoji, which YAML does not know. It passes on what it does not recognize.
    """
    if request.content_type not in (YAML, APPLY):
        return request.body, request.content_type
    return _as_yaml(request.body), f"{request.content_type}; charset=utf-8"


def _as_yaml(body: Json) -> bytes:
    """Return an object as YAML, of which JSON is a part but for a few characters in texts."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    escaped: str = _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return escaped.encode()


def hang_up(response: aiohttp.ClientResponse) -> None:
    """End a response whose body may still go on, now.

    `close` alone begins a TLS shutdown that nothing awaits: where the loop ends first, the socket stays open.
    """
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
    response.close()


def json_object(answer: bytes, what: str) -> Json:
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


def _proxy(server: str) -> str | None:
    """Return the proxy that the environment names for the API server, unless it names an exception."""
    address = urlsplit(server)
    return None if proxy_bypass(address.hostname or "") else getproxies().get(address.scheme)
