"""Whether a request may go on: who sent it, and what it is about to do."""

from typing import Final

from mill_api.kube.client import KubeClient
from mill_api.kube.resources import Resource
from mill_gateway.access.callers import Caller
from mill_gateway.access.reviews import Doing, Reviews
from mill_gateway.access.tokens import Tokens
from mill_gateway.errors import Refused
from mill_gateway.settings import Settings

ANYBODY: Final = Caller("anybody")
"""Who calls a gateway that asks nobody: it listens on loopback only."""


class Access:
    """What decides."""

    def __init__(self, client: KubeClient, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(settings)
        self._reviews = Reviews(client) if settings.kubernetes_tokens else None

    async def authenticate(self, presented: str) -> Caller:
        """Return whose a token is (empty: none was sent). Raise `Refused` 401 if it is nobody's."""
        if self._settings.open:
            return ANYBODY
        if (token := self._tokens.find(presented)) is not None:
            return Caller("a token of the gateway", namespaces=token.namespaces)
        if self._reviews is not None and (user := await self._reviews.user(presented)) is not None:
            return Caller(user.name, user=user)
        raise Refused(401, "missing or wrong token: set MILL_TOKEN, or send `Authorization: Bearer TOKEN`")

    async def require(
        self,
        caller: Caller,
        verb: str,
        resource: Resource,
        namespace: str | None,
        name: str | None = None,
        subresource: str | None = None,
    ) -> None:
        """Let a caller do what it is about to do, in Kubernetes' words, or raise `Refused` 403.

        `namespace` is None for what belongs to none, such as nodes.
        """
        served = self._settings.watched_namespace
        if served is not None and namespace is not None and namespace != served:
            raise Refused(403, f"this gateway serves the namespace {served} only, not {namespace}")
        await self._require(caller, Doing(verb, resource, namespace, name, subresource))

    async def require_path(self, caller: Caller, verb: str, path: str) -> None:
        """Do the same for what is no resource, such as `/metrics`."""
        await self._require(caller, Doing(verb, path=path))

    async def allows(self, caller: Caller, verb: str, resource: Resource, namespace: str | None = None) -> bool:
        """Tell whether `require` would let it pass, for what is left out of an answer rather than refused."""
        try:
            await self.require(caller, verb, resource, namespace)
        except Refused as error:
            if error.status_code != 403:
                raise
            return False
        return True

    async def _require(self, caller: Caller, doing: Doing) -> None:
        if caller.namespaces is not None and doing.namespace not in caller.namespaces:
            raise Refused(
                403, f"{caller.name} may not {doing}: it counts in {', '.join(sorted(caller.namespaces))} only"
            )
        if caller.user is None or self._reviews is None:
            return
        verdict = await self._reviews.may(caller.user, doing)
        if not verdict.allowed:
            raise Refused(403, f"{caller.name} may not {doing}" + (f": {verdict.reason}" if verdict.reason else ""))
