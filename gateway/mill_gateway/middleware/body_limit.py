"""Limits of request bodies: the bytes that each route accepts, and the time until a body must be complete.

A limit applies when the route reads the body, so that a caller without the right gets 403 whatever it sends.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mill_gateway.exceptions.limits import BodyTimeout, BodyTooLarge, LimitReached
from mill_gateway.settings import Settings
from mill_process.settings import variable

DEFAULT: Final = "max_json_bytes"
LARGER: Final = {
    ("POST", "/v1/deploy"): "max_file_bytes",
    ("POST", "/v1/deploy/plan"): "max_file_bytes",
    ("POST", "/v1/tasks/spawn"): "max_file_bytes",  # whose JSON may have a file
    ("PUT", "/v1/secrets/{name}"): "max_secret_bytes",
}
"""Routes with another limit than `DEFAULT`: method and path, to the field of the settings."""
LENGTH_DIGITS: Final = 20
_LARGER: Final = tuple((method, compile_path(path)[0], field) for (method, path), field in LARGER.items())


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Limits of one request's body."""

    size: int
    """Bytes."""
    setting: str
    """The variable that sets the size."""
    seconds: float
    """Time from the end of the headers to the end of the body."""

    @classmethod
    def of(cls, settings: Settings, method: str, path: str) -> "BodyLimit":
        """Return the limit of a request."""
        field = next((each for verb, regex, each in _LARGER if verb == method and regex.match(path)), DEFAULT)
        return cls(getattr(settings, field), variable(field), settings.body_seconds)

    def too_large(self) -> BodyTooLarge:
        """Return the failure of a body with too many bytes."""
        return BodyTooLarge(f"the body is larger than {self.size} bytes, the limit by {self.setting}")

    def too_slow(self) -> BodyTimeout:
        """Return the failure of a body that was not complete in time."""
        setting = variable("body_seconds")
        return BodyTimeout(f"no complete body within {self.seconds:g} s, the limit by {setting}")


class BodyLimitMiddleware:
    """Refuses a body that is too large, or too slow, as soon as a route reads it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            settings: Settings = scope["app"].state.gateway.settings
            limit = BodyLimit.of(settings, scope["method"], scope["path"])
            body = _LimitedBody(receive, limit, Headers(scope=scope).get("content-length", "0"))
            receive, send = body, body.observe(send)
        await self._app(scope, receive, send)


class _LimitedBody:
    """The `receive` of a route."""

    __slots__ = ("_answered", "_complete", "_content_length", "_deadline", "_limit", "_receive", "_size")

    def __init__(self, receive: Receive, limit: BodyLimit, content_length: str) -> None:
        self._receive = receive
        self._limit = limit
        is_number = content_length.isdecimal() and len(content_length) <= LENGTH_DIGITS
        self._content_length = int(content_length) if is_number else 0
        self._size = 0
        self._complete = False
        self._answered = False
        self._deadline = time.monotonic() + limit.seconds

    def observe(self, send: Send) -> Send:
        """Return a `send` that notes the start of the answer."""

        async def observed(message: Message) -> None:
            self._answered = True
            await send(message)

        return observed

    async def __call__(self) -> Message:
        """Return the next part. Once the answer has started, discard the rest of the body."""
        if not (self._complete or self._answered):
            try:
                return await self._next_part()
            except LimitReached:
                if not self._answered:  # the answer may have started while the part was awaited
                    raise
        while (message := await self._receive())["type"] != "http.disconnect":
            pass
        return message

    async def _next_part(self) -> Message:
        if self._content_length > self._limit.size:
            raise self._limit.too_large()
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            raise self._limit.too_slow() from None
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._size > self._limit.size:
            raise self._limit.too_large()
        return message
