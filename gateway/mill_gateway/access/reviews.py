"""Kubernetes' own answers: whose a token is (TokenReview), and what that user may do (SubjectAccessReview).

Both are remembered for seconds, so that a right that is taken away ends soon. Tokens are remembered by their hash.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from mill_api.kube.client import ApiError, KubeClient
from mill_api.kube.resources import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Resource
from mill_gateway.access.callers import User
from mill_gateway.access.remembered import Remembered
from mill_gateway.errors import Refused

YES_SECONDS: Final = 10.0
NO_SECONDS: Final = 3.0
LONGEST_TOKEN: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Doing:
    """What somebody is about to do, in Kubernetes' words."""

    verb: str
    resource: Resource | None = None
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None
    path: str | None = None
    """Instead of a resource: the path of what is none, such as `/metrics`."""

    def to_spec(self) -> dict[str, Any]:
        """Return what a SubjectAccessReview asks about."""
        if self.resource is None:
            return {"nonResourceAttributes": {"verb": self.verb, "path": self.path or ""}}
        asked = {
            "verb": self.verb,
            "group": self.resource.group,
            "version": self.resource.version,
            "resource": self.resource.plural,
            "subresource": self.subresource,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {"resourceAttributes": {key: value for key, value in asked.items() if value}}

    def __str__(self) -> str:
        """Return it as in `may not …`."""
        if self.resource is None:
            return f"{self.verb} {self.path}"
        what = f"{self.resource.full_name}/{self.subresource}" if self.subresource else self.resource.full_name
        which = f" {self.name}" if self.name else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {what}{which}{where}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether somebody may do something."""

    allowed: bool
    reason: str = ""


class Reviews:
    """Asks the API server."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._users: Remembered[str, User | None] = Remembered(lambda user: YES_SECONDS if user else NO_SECONDS)
        self._verdicts: Remembered[tuple[User, Doing], Verdict] = Remembered(
            lambda verdict: YES_SECONDS if verdict.allowed else NO_SECONDS
        )

    async def user(self, token: str) -> User | None:
        """Return whose a token is; None if it is nobody's."""
        if not token or len(token) > LONGEST_TOKEN:
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        return await self._users.answer(digest, lambda: self._review_token(token))

    async def may(self, user: User, doing: Doing) -> Verdict:
        """Tell whether a user may do something."""
        return await self._verdicts.answer((user, doing), lambda: self._review_access(user, doing))

    async def _review_token(self, token: str) -> User | None:
        status = await self._ask(TOKEN_REVIEWS, {"token": token})
        return User.read(status.get("user") or {}) if status.get("authenticated") else None

    async def _review_access(self, user: User, doing: Doing) -> Verdict:
        status = await self._ask(SUBJECT_ACCESS_REVIEWS, {**user.to_spec(), **doing.to_spec()})
        return Verdict(bool(status.get("allowed")), status.get("reason") or "")

    async def _ask(self, resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        try:
            answer = await self._client.request("create", resource, None, body=body)
        except ApiError as error:
            # Not the API server's words: they may repeat what was asked, the token.
            raise Refused(503, f"the cluster does not answer a {resource.kind}: HTTP {error.status}") from None
        status: dict[str, Any] = answer.get("status") or {}
        return status
