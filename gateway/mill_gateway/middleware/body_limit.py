"""The bodies of requests: how many bytes each route takes, and how long a body may take.

Nothing is refused before a route reads: a caller without a right is told so, whatever it sends.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mill_gateway.exceptions import BodyTimeout, BodyTooLarge, LimitReached
from mill_gateway.settings import Settings
from mill_process.settings import variable

DEFAULT: Final = "max_json_bytes"
LARGER: Final = {
    ("POST", "/v1/deploy"): "max_file_bytes",
    ("PUT", "/v1/secrets/{name}"): "max_secret_bytes",
}
"""Routes whose bodies may be larger than JSON usually is: by method and path, the field of the settings."""
LENGTH_DIGITS: Final = 20
_LARGER: Final = tuple((method, compile_path(path)[0], field) for (method, path), field in LARGER.items())


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The most bytes of a body, and how long it may take."""

    size: int
    setting: str
    """The variable that sets the size."""
    seconds: float
    """From the request's head."""

    @classmethod
    def of(cls, settings: Settings, method: str, path: str) -> "BodyLimit":
        """Return the limit of a request."""
        field = next((each for verb, regex, each in _LARGER if verb == method and regex.match(path)), DEFAULT)
        return cls(getattr(settings, field), variable(field), settings.body_seconds)

    def exceeded(self) -> BodyTooLarge:
        """Return the refusal of a body that is too large."""
        return BodyTooLarge(f"the body is larger than {self.size} bytes, the limit by {self.setting}")

    def too_slow(self) -> BodyTimeout:
        """Return the refusal of a body that takes too long."""
        setting = variable("body_seconds")
        return BodyTimeout(f"no complete body within {self.seconds:g} s, the limit by {setting}")


class Bodies:
    """Refuses a body that is too large as soon as a route reads it, and one that takes too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            settings: Settings = scope["app"].state.gateway.settings
            limit = BodyLimit.of(settings, scope["method"], scope["path"])
            body = _Body(receive, limit, Headers(scope=scope).get("content-length", "0"))
            receive, send = body, body.watching(send)
        await self._app(scope, receive, send)


class _Body:
    """What a route receives."""

    __slots__ = ("_announced", "_answered", "_complete", "_ends", "_limit", "_receive", "_size")

    def __init__(self, receive: Receive, limit: BodyLimit, announced: str) -> None:
        self._receive = receive
        self._limit = limit
        self._announced = int(announced) if announced.isdecimal() and len(announced) <= LENGTH_DIGITS else 0
        self._size = 0
        self._complete = False
        self._answered = False
        self._ends = time.monotonic() + limit.seconds

    def watching(self, send: Send) -> Send:
        """Return `send`, by which is noticed that the answer has begun."""

        async def watched(message: Message) -> None:
            self._answered = True
            await send(message)

        return watched

    async def __call__(self) -> Message:
        """Return the next part. Once the answer has begun there is nothing to refuse: what comes is thrown away."""
        if not (self._complete or self._answered):
            try:
                return await self._part()
            except LimitReached:
                if not self._answered:  # which may have happened meanwhile
                    raise
        while (message := await self._receive())["type"] != "http.disconnect":
            pass
        return message

    async def _part(self) -> Message:
        if self._announced > self._limit.size:
            raise self._limit.exceeded()
        try:
            async with asyncio.timeout(self._ends - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            raise self._limit.too_slow() from None
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._size > self._limit.size:
            raise self._limit.exceeded()
        return message
