"""Whether a request may go on: who sent it, and what it is about to do."""

from typing import Final

from mill_gateway.access.callers import Caller
from mill_gateway.access.reviews import Doing, Reviews
from mill_gateway.access.tokens import Tokens
from mill_gateway.exceptions import (
    AccessDenied,
    AuthenticationRequired,
    InvalidParameters,
    NamespaceNotServed,
    NotPermitted,
)
from mill_gateway.settings import Settings
from mill_kube.client import KubeClient
from mill_kube.resources import Resource

ANYBODY: Final = Caller("anybody")
"""Who calls a gateway that asks nobody: it listens on loopback only."""


LONGEST_NAME: Final = 253
"""Characters of a name of Kubernetes: what is longer is neither asked about nor remembered."""


class Access:
    """What decides."""

    def __init__(self, client: KubeClient, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(settings)
        self._reviews = Reviews(client, settings) if settings.kubernetes_tokens else None

    async def authenticate(self, presented: str, address: str | None = None) -> Caller:
        """Return whose a token is (empty: none was sent). Raise `AuthenticationRequired`, or `LimitReached`.

        The answer is ten seconds old at most, so that a stream may ask again with its request's token. `address` is
        where it came from, if that tells senders apart: so many wrong ones of each are looked at.
        """
        if self._settings.is_open:
            return ANYBODY
        if (token := self._tokens.find(presented)) is not None:
            return Caller("a token of the gateway", namespaces=token.namespaces)
        if self._reviews is not None and (user := await self._reviews.user(presented, address)) is not None:
            return Caller(user.name, user=user)
        raise AuthenticationRequired(_no_token(self._settings))

    async def require(
        self,
        caller: Caller,
        verb: str,
        resource: Resource,
        namespace: str | None,
        name: str | None = None,
        subresource: str | None = None,
    ) -> None:
        """Let a caller do what it is about to do, in Kubernetes' words, or raise `AccessDenied`.

        `namespace` is None for what belongs to none, such as nodes.
        """
        served = self._settings.watched_namespace
        if served is not None and namespace is not None and namespace != served:
            raise NamespaceNotServed(f"this gateway serves the namespace {served} only, not {namespace}")
        await self._require(caller, Doing(verb, resource, namespace, name, subresource))

    async def require_path(self, caller: Caller, verb: str, path: str) -> None:
        """Do the same for what is no resource, such as `/metrics`."""
        await self._require(caller, Doing(verb, path=path))

    async def allows(self, caller: Caller, verb: str, resource: Resource, namespace: str | None = None) -> bool:
        """Tell whether `require` would let it pass, for what is left out of an answer rather than refused."""
        try:
            await self.require(caller, verb, resource, namespace)
        except AccessDenied:
            return False
        return True

    async def _require(self, caller: Caller, doing: Doing) -> None:
        if caller.namespaces is not None and doing.namespace not in caller.namespaces:
            namespaces = ", ".join(sorted(caller.namespaces))
            raise NotPermitted(f"{caller.name} may not {doing}: the token is limited to namespaces {namespaces}")
        if caller.user is None or self._reviews is None:
            return
        if len(doing.name or "") > LONGEST_NAME:
            raise InvalidParameters(f"a name of more than {LONGEST_NAME} characters, which Kubernetes does not have")
        verdict = await self._reviews.may(caller.user, doing)
        if not verdict.allowed:
            raise NotPermitted(f"{caller.name} may not {doing}" + (f": {verdict.reason}" if verdict.reason else ""))


def _no_token(settings: Settings) -> str:
    """Say that a token is missing or wrong, and how to get a right one."""
    text = "missing or wrong token: set MILL_TOKEN, or send `Authorization: Bearer TOKEN`"
    if not settings.kubernetes_tokens:
        return text
    audience = settings.token_audiences[0]
    how = f"`kubectl create token SERVICEACCOUNT --audience {audience}` makes one"
    if settings.api_server_tokens:
        return f"{text}; {how}"
    return f"{text}; of the cluster's tokens this gateway takes those for the audience {audience} only: {how}"
