"""Whether a request may go on: who sent it, and what it is about to do."""

from typing import Final

from mill_api.kube.client import KubeClient
from mill_api.kube.resources import Resource
from mill_gateway.access.callers import Caller
from mill_gateway.access.tokens import Tokens
from mill_gateway.errors import Refused
from mill_gateway.settings import Settings

ANYBODY: Final = Caller("anybody")
"""Who calls a gateway that asks nobody: it listens on loopback only."""


class Access:
    """What decides."""

    def __init__(self, client: KubeClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._tokens = Tokens(settings)

    async def authenticate(self, token: str) -> Caller:
        """Return whose a token is (empty: none was sent). Raise `Refused` 401 if it is nobody's."""
        if self._settings.open:
            return ANYBODY
        if self._tokens.known(token):
            return Caller("a token of the gateway")
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
