"""The gateway over HTTP: requests, and streams that survive a lost connection."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from httpx_sse import SSEError, connect_sse

from mill_cli.errors import CliError, Exit

SILENCE_SECONDS = 45.0
"""A stream that is silent for three heartbeats is dead."""
RESUME_SECONDS = 60.0
"""How long a lost stream is tried again."""


UNAVAILABLE = (502, 503, 504)
"""Of a gateway that has only just started, or of something in between while there is none."""


class Unavailable(CliError):
    """The gateway cannot answer now, and may soon."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which gateway, and which deployment."""

    address: str
    token: str | None = None
    namespace: str | None = None
    name: str | None = None

    @property
    def query(self) -> dict[str, str]:
        """Return the query parameters that name the deployment."""
        return {key: value for key, value in (("namespace", self.namespace), ("name", self.name)) if value}

    @property
    def deployment(self) -> str:
        """Return the deployment's name."""
        return self.name or "mill"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event of a stream."""

    name: str
    data: dict[str, Any]


class Gateway:
    """Talks to one gateway."""

    def __init__(self, target: Target) -> None:
        self._target = target
        headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
        self._client = httpx.Client(
            base_url=target.address,
            headers=headers,
            timeout=httpx.Timeout(10.0, read=SILENCE_SECONDS),
            follow_redirects=True,
        )

    def deploy(self, text: bytes, *, force: bool = False) -> Iterator[ServerEvent]:
        """Deploy a file and yield the rollout's events to its `done`, over as many connections as it takes.

        Raise `CliError`: cannot connect, refused, or the stream is lost for good.
        """
        position = _Position()
        try:
            query = self._target.query | ({"force": "true"} if force else {})
            yield from self._stream("POST", "/v1/deploy", position, content=text, params=query)
        except httpx.ConnectError as error:
            raise self._refused_connection() from error
        except (httpx.TransportError, SSEError) as error:
            if position.last_id is None:
                raise CliError(Exit.STREAM_LOST, f"request failed: {_words(error)}") from error
        yield from self._resume(position)

    def _resume(self, position: "_Position") -> Iterator[ServerEvent]:
        path = f"/v1/deployments/{quote(self._target.deployment, safe='')}/events"
        give_up = time.monotonic() + RESUME_SECONDS
        pause = 0.2
        while not position.done:
            if time.monotonic() > give_up:
                raise CliError(
                    Exit.STREAM_LOST,
                    "lost the connection; the rollout goes on, and deploying the same file again joins it",
                )
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
            headers = {"Last-Event-ID": position.last_id or ""}
            query = {"namespace": self._target.namespace} if self._target.namespace else {}
            try:
                for event in self._stream("GET", path, position, headers=headers, params=query):
                    give_up, pause = time.monotonic() + RESUME_SECONDS, 0.2
                    yield event
            except (httpx.TransportError, SSEError, Unavailable):
                continue

    def _stream(self, method: str, path: str, position: "_Position", **request: Any) -> Iterator[ServerEvent]:
        with connect_sse(self._client, method, path, **request) as source:
            response = source.response
            if response.is_error:
                response.read()
                kind = Unavailable if response.status_code in UNAVAILABLE else CliError
                raise kind(Exit.FAILED, _error_text(response))
            if rollout := response.headers.get("Mill-Rollout"):
                position.last_id = position.last_id or f"{rollout}.0"
            for event in source.iter_sse():
                if not event.data:
                    continue  # a heartbeat: once ids have been seen, httpx-sse makes an event of a mere comment
                position.last_id = event.id or position.last_id
                position.done = event.event == "done"
                yield ServerEvent(event.event, json.loads(event.data))
                if position.done:
                    return

    def _refused_connection(self) -> CliError:
        address = self._target.address
        return CliError(Exit.CANNOT_CONNECT, f"connection refused — is the cluster running? (address: {address})")


@dataclass(slots=True)
class _Position:
    """How far a stream has come."""

    last_id: str | None = None
    done: bool = False


def _error_text(response: httpx.Response) -> str:
    """Return what a refusal says."""
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.status_code}: {response.text[:1000]}"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
