"""Whether a stream may go on: it may last for a day, and a right or a token is taken away in a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from mill_gateway.access import Caller
from mill_gateway.exceptions import AccessDenied, AuthenticationRequired, GatewayError
from mill_gateway.middleware.authentication import presented_token
from mill_gateway.streams.places import Place
from mill_kube.client import Unreachable

ANSWER_SECONDS: Final = 10.0
"""How long an answer is waited for; the next question is a minute later."""
GONE: Final = (AuthenticationRequired, AccessDenied)
"""How it is refused that a stream goes on. Anything else is a question that could not be answered."""


def as_comment(reason: str) -> bytes:
    """Return what a stream ends with whose events are no place for it: clients overlook it, people may see it."""
    return f": {' '.join(reason.splitlines())}\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Guard:
    """What a stream has taken, and what it asks for anew every minute."""

    place: Place
    may: Callable[[Caller], Awaitable[None]]
    """Asks for the right to what the stream tells. Raises `AccessDenied`."""
    farewell: Callable[[str], bytes] = as_comment
    """Makes the stream's last bytes of why it ends."""

    async def refusal(self, scope: Scope) -> str | None:
        """Ask anew who sent the request, and whether they may still read the answer; return why they may not.

        While the API server is away, so is everything that could be told.
        """
        access = scope["app"].state.gateway.access
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.may(await access.authenticate(presented_token(Headers(scope=scope))))
        except GONE as error:
            return str(error)
        except (GatewayError, Unreachable, TimeoutError):
            return None
        return None
