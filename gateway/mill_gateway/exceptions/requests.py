"""Failures of requests that no route can serve."""

from mill_gateway.exceptions.base import GatewayError


class MalformedRequest(GatewayError):
    """The bytes of the request are not HTTP, or its body cannot be read."""

    code = "malformed_request"


class AmbiguousBodyLength(GatewayError):
    """The end of the request is in doubt: a proxy in front may have read it differently."""

    code = "ambiguous_body_length"
    text = (
        "a request must not have both Content-Length and Transfer-Encoding, nor HTTP/1.0 the latter: a proxy in front "
        "may have read it differently"
    )


class InvalidParameters(GatewayError):
    """A parameter of the path, the query or the headers has a wrong value."""

    code = "invalid_parameters"


class InvalidEventId(GatewayError):
    """`Last-Event-ID` is not an id of this gateway's events."""

    code = "invalid_event_id"


class InvalidJson(GatewayError):
    """The body is not JSON."""

    code = "invalid_json"


class InvalidBody(GatewayError):
    """The body is JSON of the wrong shape."""

    code = "invalid_body"


class UnsupportedContentType(GatewayError):
    """The body is not declared as JSON."""

    code = "unsupported_content_type"
    text = "expected request with `Content-Type: application/json`"


class PathNotFound(GatewayError):
    """The gateway has no such path."""

    code = "path_not_found"


class MethodNotAllowed(GatewayError):
    """The path exists, but not with this method."""

    code = "method_not_allowed"


class RequestTimeout(GatewayError):
    """The client did not send a complete request in time."""

    code = "request_timeout"


class ClientDisconnected(GatewayError):
    """The client closed the connection. Only the log shows this failure."""

    code = "client_disconnected"
    text = "the client closed the connection"


class InternalError(GatewayError):
    """A fault of the gateway itself."""

    code = "internal_error"
    text = "internal error: the gateway's log says more under this request's id"
