"""Repeated access checks of open streams: a stream may last for a day, and rights and tokens are revoked meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from mill_gateway.access import Caller, presented_token
from mill_gateway.exceptions.access import AccessDenied, AuthenticationRequired
from mill_gateway.exceptions.base import GatewayError
from mill_gateway.streams.slots import StreamSlots
from mill_kube.errors import Unreachable

ANSWER_SECONDS: Final = 10.0
"""Timeout of one access check; the next one is a minute later."""
DENIED: Final = (AuthenticationRequired, AccessDenied)
"""Failures that end a stream. After any other one, the check could not be made, and the stream continues."""


def as_comment(reason: str) -> bytes:
    """Return a comment as the last bytes of a stream: clients ignore it, people may see it."""
    return f": {' '.join(reason.splitlines())}\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Guard:
    """The slots that a stream holds, and the access check that is repeated every minute."""

    slots: StreamSlots
    authorize: Callable[[Caller], Awaitable[None]]
    """Checks access to the stream's events. Raises `AccessDenied`."""
    encode_refusal: Callable[[str], bytes] = as_comment
    """Returns the stream's last bytes for the reason why it ends."""

    async def refusal(self, scope: Scope) -> str | None:
        """Authenticate the request again and check access again; return why the stream must end, or None.

        While the API server does not answer, the stream continues: it has nothing new to send.
        """
        access = scope["app"].state.gateway.access
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.authorize(await access.authenticate(presented_token(Headers(scope=scope))))
        except DENIED as error:
            return str(error)
        except (GatewayError, Unreachable, TimeoutError):
            return None
        return None
