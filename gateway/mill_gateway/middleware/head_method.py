"""Answers to HEAD: those of GET without the body."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadMethodMiddleware:
    """Answers HEAD with status and headers of GET. It cancels the route before a stream starts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        response_start: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        async def take_start(message: Message) -> None:
            if message["type"] == "http.response.start" and not response_start.done():
                response_start.set_result(message)

        # Both scopes share `state`: authentication, further in, stores the caller that the request log reads.
        inner = {**scope, "method": "GET"}
        route = asyncio.ensure_future(self._app(inner, receive, take_start))
        either: set[asyncio.Future[Any]] = {route, response_start}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not response_start.done():
            route.result()  # raises the route's error
        route.cancel()
        await asyncio.gather(route, return_exceptions=True)
        if "route" in inner:
            scope["route"] = inner["route"]  # the label of the metrics
        await send(response_start.result())
        await send({"type": "http.response.body", "body": b""})
