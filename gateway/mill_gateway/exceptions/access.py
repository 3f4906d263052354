"""Failures of authentication and authorization."""

from mill_gateway.exceptions.base import GatewayError


class AuthenticationRequired(GatewayError):
    """The request has no token, or a wrong one."""

    code = "authentication_required"


class AccessDenied(GatewayError):
    """Base of the failures of a caller that is known, and may not do this."""


class NotPermitted(AccessDenied):
    """The caller has no right to do this."""

    code = "not_permitted"


class NamespaceNotServed(AccessDenied):
    """The gateway serves a single namespace, and this is another one."""

    code = "namespace_not_served"


class LocalRequestsOnly(AccessDenied):
    """Authentication is off, and the request may come from a page of another site."""

    code = "local_requests_only"
    text = "authentication is disabled: only requests from localhost are accepted"


class AccessCheckFailed(GatewayError):
    """The API server does not review a token or a right."""

    code = "access_check_failed"
