"""Server-sent events over as many connections as it takes.

A stream that breaks is resumed after its last event, at any replica of the gateway. The operation continues meanwhile,
and no event is lost.
"""

import re
import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mill_cli.connection.bodies import loads
from mill_cli.connection.client import Gateway, path
from mill_cli.connection.failures import UNAVAILABLE, Refused, Unanswered, error_text, no_stream
from mill_cli.connection.server_sent import SentEvent, TooLong, parse_events
from mill_cli.connection.transport import Answer, TransportError
from mill_cli.errors import CliError, Exit

SILENCE_SECONDS: Final = 45.0
"""A stream that is silent for three heartbeats is dead."""
RESUME_SECONDS: Final = 60.0
"""Seconds for which a lost stream is retried."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
NO_CONTENT: Final = 204
FORBIDDEN: Final = 403
GONE: Final = 410
MAY_NOT_GET: Final = " may not get "
"""Text of the gateway's refusal of details to a caller who may deploy."""
_ID: Final = re.compile(r"[!-~]{1,8192}")
"""Event ids that can be sent back: those of logs have at most 1,500 characters."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event of a stream."""

    name: str
    text: str
    """The data as it was sent."""
    data: dict[str, Any]
    """The data as JSON; empty if it is not an object."""

    @property
    def last(self) -> bool:
        """Whether it is the last event of an operation."""
        return self.name == "done"

    @property
    def succeeded(self) -> bool:
        """Whether it reports that the whole operation has succeeded."""
        return self.last and self.data.get("success") is True

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        return {"event": self.name, "data": self.data or self.text}


@dataclass(frozen=True, slots=True)
class Request:
    """The request that opens a stream."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


class EventStream:
    """The events of one operation.

    With `ends` it ends with the event `done`; without, when the gateway ends it. `notice` gets messages about lost
    connections.
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
        self.headers: dict[str, str] = {}
        """Headers of the first answer, by lower-case name."""
        self.requested = False
        """Whether the request was sent, or is about to be."""
        self.connected = False
        """Whether a gateway is answering."""

    def __iter__(self) -> Iterator[ServerEvent]:
        """Yield the events until the stream or the gateway's context ends.

        Raise `CliError` if the gateway refuses, cannot be reached, or the stream cannot be resumed.
        """
        self.requested = True
        try:
            yield from self._opened()
        except Unanswered as error:
            if error.sent and self._request.method == "POST":
                message = f"{error}; the operation may have started anyway"
                raise CliError(Exit.STREAM_LOST, message, *self.resume_hints()) from error
            raise
        except TransportError as error:
            if self._gateway.closed:
                return
            self._notice(f"connection lost ({error_text(error)}); the operation continues, reconnecting")
        yield from self._resumed()

    def _opened(self) -> Iterator[ServerEvent]:
        """Yield the events of the first connection. Details take a right of their own: without it, leave them out."""
        try:
            yield from self._connection(self._request)
        except Refused as error:
            rest = {key: value for key, value in self._request.query.items() if key != "detail"}
            lacks_right = error.status == FORBIDDEN and MAY_NOT_GET in str(error)
            if not lacks_right or rest == self._request.query:
                raise
            self._request = replace(self._request, query=rest)
            yield from self._connection(self._request)

    def resuming_request(self) -> Request:
        """Return the request that resumes the stream."""
        return self._request

    def resume_hints(self) -> list[str]:
        """Return the hints for a lost stream."""
        return ["run the same command again to resume"]

    def _resumed(self) -> Iterator[ServerEvent]:
        pause, give_up = _FIRST_PAUSE, time.monotonic() + RESUME_SECONDS
        while not self._over:
            if time.monotonic() > give_up:
                raise CliError(
                    Exit.STREAM_LOST,
                    f"lost the connection{'; the operation continues' if self._ends else ''}",
                    *self.resume_hints(),
                )
            time.sleep(pause)
            if self._gateway.closed:
                return
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                for event in self._connection(self.resuming_request()):
                    pause, give_up = _FIRST_PAUSE, time.monotonic() + RESUME_SECONDS
                    yield event
            except (TransportError, Unanswered):
                continue
            except CliError as error:
                status = error.status if isinstance(error, Refused) else None
                if status in UNAVAILABLE:
                    continue
                if status == GONE:
                    raise
                advice = [*error.advice, *self.resume_hints()]
                raise CliError(Exit.STREAM_LOST, f"cannot resume the stream: {error}", *advice) from error

    def send_only(self) -> None:
        """Send the request, and leave the stream when the gateway has accepted it. Raise `CliError`."""
        self.requested = True
        try:
            with self._accepted(self._request):
                return
        except (Unanswered, TransportError) as error:
            if isinstance(error, Unanswered) and not error.sent:
                raise
            message = f"{error}; the operation may have started anyway"
            raise CliError(Exit.STREAM_LOST, message, *self.resume_hints()) from error

    def _connection(self, request: Request) -> Iterator[ServerEvent]:
        """Yield the events of one connection."""
        with self._accepted(request) as answer:
            if answer is None:  # nothing follows the last event
                self._over = True
                return
            self.connected = True
            try:
                yield from self._events(parse_events(answer.parts()))
            except TooLong as error:
                advice = "check that the address is that of a mill gateway"
                raise CliError(Exit.FAILED, str(error), advice, kind="unexpected_answer") from error
            finally:
                self.connected = False
        self._over = self._over or not self._ends

    @contextmanager
    def _accepted(self, request: Request) -> Iterator[Answer | None]:
        """Send a request, and yield the answer whose body has the events; None if there are no more."""
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        with self._gateway.send(
            request.method,
            request.path,
            read=SILENCE_SECONDS,
            query=request.query,
            content=request.content,
            headers=headers,
        ) as answer:
            if answer.status == NO_CONTENT:
                yield None
                return
            self.headers = self.headers or answer.headers
            rollout = answer.headers.get("mill-rollout", "")
            if self._last_id is None and _ID.fullmatch(rollout):
                self._last_id = f"{rollout}.0"
            if "text/event-stream" not in answer.headers.get("content-type", "").partition(";")[0]:
                raise no_stream(answer)
            yield answer

    def _events(self, sent: Iterable[SentEvent]) -> Iterator[ServerEvent]:
        for event in sent:
            if _ID.fullmatch(event.id):
                self._last_id = event.id
            if not event.data:
                continue  # a heartbeat
            made = ServerEvent(event.name, event.data, _json(event.data))
            self._over = self._ends and made.last
            yield made
            if self._over:
                return


class RolloutStream(EventStream):
    """The events of a rollout, which every replica of the gateway can send from any event on."""

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
        self.superseded = False
        """Whether another rollout has replaced it."""

    def __iter__(self) -> Iterator[ServerEvent]:
        for event in super().__iter__():
            if event.name == "failed" and "service" not in event.data:
                self.superseded = str(event.data.get("reason", "")).startswith("superseded by ")
            yield event

    def resuming_request(self) -> Request:
        """Return the request that continues after the last event."""
        namespace, name = self.deployment
        query = {"namespace": namespace, "service": self._service, "detail": self._request.query.get("detail")}
        given = {key: value for key, value in query.items() if value}
        return Request("GET", path("deployments", name, "events"), given)

    def resume_hints(self) -> list[str]:
        """Return the command that follows the rollout."""
        return [f"the rollout continues; `{self.watch_command}` follows it"]

    @property
    def watch_command(self) -> str:
        """The command that follows the rollout."""
        return f"mill watch{self.where}"

    @property
    def where(self) -> str:
        """The options of a command about the same MillDeployment, with a blank before each."""
        namespace, name = self.deployment
        options = f" --namespace {shlex.quote(namespace)}" if namespace else ""
        return options + ("" if name == "mill" else f" --name {shlex.quote(name)}")

    @property
    def rollout(self) -> str:
        """Id of the rollout, from the gateway's answer; empty before it."""
        _, _, rollout = self.headers.get("mill-rollout", "").partition(".")
        return rollout

    @property
    def deployment(self) -> tuple[str | None, str]:
        """Namespace and name of the MillDeployment, from the gateway's answer or else from the options."""
        namespace, _, name = self.headers.get("mill-deployment", "").partition("/")
        options = self._gateway.options
        return (namespace, name) if name else (options.namespace, options.deployment)


def _json(text: str) -> dict[str, Any]:
    try:
        data = loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
