"""Limits of the gateway that a request reaches."""

from mill_gateway.exceptions.base import GatewayError


class LimitReached(GatewayError):
    """A limit of the gateway: too many at once, too large, or too slow."""

    code = "limit_reached"
    limit: str = ""
    """Name of the limit in the metrics; empty if they count it elsewhere."""

    def __init__(self, message: str = "", *, limit: str = "", retry_after: int | None = None) -> None:
        """Take the message, the limit's name, and after how many seconds the request may be repeated."""
        super().__init__(message)
        self.limit = limit or self.limit
        self.retry_after = retry_after


class BodyTooLarge(LimitReached):
    """The body has more bytes than its route accepts."""

    code = "body_too_large"
    limit = "body_size"


class BodyTimeout(LimitReached):
    """The body was not complete in time."""

    code = "body_timeout"
    limit = "body_time"


class HeadTooLarge(LimitReached):
    """The request line and the headers are too large."""

    code = "head_too_large"
    limit = "head_size"


class TooManyConnections(LimitReached):
    """The gateway has as many connections as it accepts."""

    code = "too_many_connections"
    text = "too many connections are open: try again in a moment (MILL_MAX_CONNECTIONS)"


class TooManyConnectionsFromAddress(LimitReached):
    """One address has as many connections as the gateway accepts from it."""

    code = "too_many_connections_from_address"
    text = "too many connections are open from this address: try again in a moment (MILL_MAX_CONNECTIONS_PER_ADDRESS)"
