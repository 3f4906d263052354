"""Authentication and authorization of requests."""

from typing import Final

from mill_gateway.access.access_request import AccessRequest
from mill_gateway.access.callers import Caller
from mill_gateway.access.reviews import Reviews
from mill_gateway.access.tokens import Tokens
from mill_gateway.exceptions.access import AccessDenied, AuthenticationRequired, NamespaceNotServed, NotPermitted
from mill_gateway.exceptions.requests import InvalidParameters
from mill_gateway.settings import Settings
from mill_kube.client import KubeClient
from mill_kube.resources import Resource

ANONYMOUS: Final = Caller("anonymous")
"""The caller of a gateway without authentication, which listens on loopback only."""
LONGEST_NAME: Final = 253
"""Characters of a Kubernetes name: an access check of a longer one would fill the cache with foreign text."""


class Access:
    """Finds the caller of a request, and checks the caller's rights."""

    def __init__(self, client: KubeClient, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(settings)
        self._reviews = Reviews(client, settings) if settings.kubernetes_tokens else None

    async def authenticate(self, token: str, address: str | None = None) -> Caller:
        """Return the caller of a token; an empty one means that the request had none.

        The result is at most ten seconds old, so that a stream may check its request's token repeatedly. `address` is
        the client's, or None if many clients may share it: the gateway limits wrong tokens per address. Raise
        `AuthenticationRequired` or `LimitReached`.
        """
        if self._settings.is_open:
            return ANONYMOUS
        if (own := self._tokens.find(token)) is not None:
            return Caller("an admin token", namespaces=own.namespaces)
        if self._reviews is not None and (user := await self._reviews.user(token, address)) is not None:
            return Caller(user.name, user=user)
        raise AuthenticationRequired(_how_to_authenticate(self._settings))

    async def require(
        self,
        caller: Caller,
        verb: str,
        resource: Resource,
        namespace: str | None,
        name: str | None = None,
        subresource: str | None = None,
    ) -> None:
        """Check that a caller may do something, in the terms of Kubernetes. Raise `AccessDenied` or `LimitReached`.

        `namespace` is None for resources without a namespace, such as nodes.
        """
        served = self._settings.watched_namespace
        if served is not None and namespace is not None and namespace != served:
            raise NamespaceNotServed(f"this gateway serves the namespace {served} only, not {namespace}")
        await self._require(caller, AccessRequest(verb, resource, namespace, name, subresource))

    async def require_path(self, caller: Caller, verb: str, path: str) -> None:
        """Check a request that is about no resource, such as one of `/metrics`."""
        await self._require(caller, AccessRequest(verb, path=path))

    async def require_everywhere(self, caller: Caller, verb: str, resource: Resource) -> frozenset[str] | None:
        """Check that a caller may do something in all namespaces that the gateway serves.

        Return the namespaces to which the gateway or an admin token is limited; None if neither is. Raise
        `AccessDenied` or `LimitReached`.
        """
        served = self._settings.watched_namespace
        namespaces = caller.namespaces if served is None else frozenset([served])
        if namespaces is None:
            await self._require(caller, AccessRequest(verb, resource, None))
        for namespace in sorted(namespaces or ()):
            await self.require(caller, verb, resource, namespace)
        return namespaces

    async def allows_everywhere(self, caller: Caller, verb: str, resource: Resource) -> bool:
        """Whether a caller may do something in all namespaces of the cluster."""
        return caller.namespaces is None and await self.allows(caller, verb, resource)

    async def allows(
        self, caller: Caller, verb: str, resource: Resource, namespace: str | None = None, name: str | None = None
    ) -> bool:
        """Whether `require` would succeed, for answers that omit what the caller may not read."""
        try:
            await self.require(caller, verb, resource, namespace, name)
        except AccessDenied:
            return False
        return True

    async def _require(self, caller: Caller, request: AccessRequest) -> None:
        if caller.namespaces is not None and request.namespace not in caller.namespaces:
            namespaces = ", ".join(sorted(caller.namespaces))
            raise NotPermitted(f"{caller.name} may not {request}: the token is limited to namespaces {namespaces}")
        if caller.user is None or self._reviews is None:
            return
        if len(request.name or "") > LONGEST_NAME:
            raise InvalidParameters(f"a name of more than {LONGEST_NAME} characters, which Kubernetes does not have")
        review = await self._reviews.is_allowed(caller.user, request)
        if not review.allowed:
            raise NotPermitted(f"{caller.name} may not {request}" + (f": {review.reason}" if review.reason else ""))


def _how_to_authenticate(settings: Settings) -> str:
    """Return the message for a missing or wrong token."""
    text = "missing or wrong token: set MILL_TOKEN, or send `Authorization: Bearer TOKEN`"
    if not settings.kubernetes_tokens:
        return text
    audience = settings.token_audiences[0]
    command = f"`kubectl create token SERVICEACCOUNT --audience {audience}` makes one"
    if settings.api_server_tokens:
        return f"{text}; {command}"
    return f"{text}; of Kubernetes tokens this gateway accepts only those for the audience {audience}: {command}"
