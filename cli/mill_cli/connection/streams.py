"""Server-sent events over as many connections as it takes.

A stream that breaks is taken up where it was, at whichever gateway answers. What is asked for goes on meanwhile, and
nothing of it is lost.
"""

import re
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from httpx_sse import EventSource, SSEError

from mill_cli.connection.bodies import EventText, TooLong, loads
from mill_cli.connection.client import Gateway, path
from mill_cli.connection.failures import UNAVAILABLE, Refused, Unanswered, error_text, no_stream
from mill_cli.errors import CliError, Exit

SILENCE_SECONDS: Final = 45.0
"""A stream that is silent for three heartbeats is dead."""
RESUME_SECONDS: Final = 60.0
"""How long a lost stream is tried again."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
GONE: Final = 410
_ID: Final = re.compile(r"[!-~]{1,8192}")
"""An id that can be sent back: those of logs have 1,500 characters at most."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event of a stream."""

    name: str
    text: str
    """Its data, as it was sent."""
    data: dict[str, Any]
    """The same as JSON; empty if it is none."""

    @property
    def last(self) -> bool:
        """Tell whether it is the last of an operation."""
        return self.name == "done"


@dataclass(frozen=True, slots=True)
class Request:
    """How a stream is asked for."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


class EventStream:
    """The events of one operation.

    With `ends` it is over with the event `done`; without, when the gateway ends it. `lost` is what the person is told
    to do when the stream cannot be taken up again.
    """

    def __init__(
        self, gateway: Gateway, request: Request, *, ends: bool = True, notice: Callable[[str], None] | None = None
    ) -> None:
        self._gateway = gateway
        self._request = request
        self._ends = ends
        self._notice = notice or (lambda _: None)
        self._last_id: str | None = None
        self._over = False
        self.headers = httpx.Headers()
        """Those of the first answer."""
        self.connected = False
        """Whether there is a gateway that answers."""

    def __iter__(self) -> Iterator[ServerEvent]:
        """Yield the events, until they or the gateway's context are over.

        Raise `CliError`: refused, no connection, or the stream is lost for good.
        """
        try:
            yield from self._connection(self._request)
        except Unanswered as error:
            if error.sent and self._request.method == "POST":
                message = f"{error}; it may have begun nevertheless"
                raise CliError(Exit.STREAM_LOST, message, *self.rejoining()) from error
            raise
        except httpx.TransportError as error:
            if self._gateway.closed:
                return
            self._notice(
                f"connection lost ({error_text(error)}); it goes on, and so does this when there is a gateway again"
            )
        yield from self._resumed()

    def again(self) -> Request:
        """Return how to go on with it: as it was asked for."""
        return self._request

    def rejoining(self) -> list[str]:
        """Return what to tell somebody whose stream is lost."""
        return ["the same command again goes on with it"]

    def _resumed(self) -> Iterator[ServerEvent]:
        pause, give_up = _FIRST_PAUSE, time.monotonic() + RESUME_SECONDS
        while not self._over:
            if time.monotonic() > give_up:
                raise CliError(
                    Exit.STREAM_LOST,
                    f"lost the connection{'; what was begun goes on' if self._ends else ''}",
                    *self.rejoining(),
                )
            time.sleep(pause)
            if self._gateway.closed:
                return
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                for event in self._connection(self.again()):
                    pause, give_up = _FIRST_PAUSE, time.monotonic() + RESUME_SECONDS
                    yield event
            except (httpx.TransportError, Unanswered):
                continue
            except CliError as error:
                status = error.status if isinstance(error, Refused) else None
                if status in UNAVAILABLE:
                    continue
                if status == GONE:
                    raise
                advice = [*error.advice, *self.rejoining()]
                raise CliError(Exit.STREAM_LOST, f"cannot go on reading: {error}", *advice) from error

    def _connection(self, request: Request) -> Iterator[ServerEvent]:
        """Yield the events of one connection."""
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        with self._gateway.send(
            request.method,
            request.path,
            read=SILENCE_SECONDS,
            params=request.query,
            content=request.content,
            headers=headers,
        ) as response:
            if response.status_code == httpx.codes.NO_CONTENT:  # after the last event there is nothing
                self._over = True
                return
            self.connected = True
            self.headers = self.headers or response.headers
            rollout = response.headers.get("Mill-Rollout", "")
            if self._last_id is None and _ID.fullmatch(rollout):
                self._last_id = f"{rollout}.0"
            try:
                yield from self._events(EventSource(EventText(response)))  # type: ignore[arg-type] # all that it reads
            except SSEError as error:
                raise no_stream(response) from error
            except TooLong as error:
                raise CliError(Exit.FAILED, str(error), "is that a mill gateway?") from error
            finally:
                self.connected = False
        self._over = self._over or not self._ends

    def _events(self, source: EventSource) -> Iterator[ServerEvent]:
        for event in source.iter_sse():
            if _ID.fullmatch(event.id):
                self._last_id = event.id
            if not event.data:
                continue  # a heartbeat: once ids have been seen, httpx-sse makes an event of a mere comment
            made = ServerEvent(event.event, event.data, _json(event.data))
            self._over = self._ends and made.last
            yield made
            if self._over:
                return


class RolloutStream(EventStream):
    """The events of a rollout, which any gateway tells from any point on, whoever began it."""

    def __init__(
        self,
        gateway: Gateway,
        request: Request,
        *,
        service: str | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(gateway, request, notice=notice)
        self._service = service

    def again(self) -> Request:
        """Return how to join it."""
        namespace, name = self.deployment
        query = {"namespace": namespace, "service": self._service, "detail": self._request.query.get("detail")}
        given = {key: value for key, value in query.items() if value}
        return Request("GET", path("deployments", name, "events"), given)

    def rejoining(self) -> list[str]:
        """Return how somebody joins it."""
        return [f"`{self.watch_command}` joins the rollout, which goes on"]

    @property
    def watch_command(self) -> str:
        """Return the command that joins it."""
        namespace, name = self.deployment
        where = f" --namespace {shlex.quote(namespace)}" if namespace else ""
        return f"mill watch{where}" + ("" if name == "mill" else f" --name {shlex.quote(name)}")

    @property
    def deployment(self) -> tuple[str | None, str]:
        """Return namespace and name of the MillDeployment: as the gateway says, or else as was asked."""
        namespace, _, name = self.headers.get("Mill-Deployment", "").partition("/")
        options = self._gateway.options
        return (namespace, name) if name else (options.namespace, options.deployment)


def _json(text: str) -> dict[str, Any]:
    try:
        data = loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
