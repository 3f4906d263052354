"""Reviews of tokens and rights, which the API server answers and does not store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mill_kube.connection import Request
from mill_kube.resources import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS
from mill_objects.json import Json

API_SERVER: Final = "https://kubernetes.default.svc"
"""The audience of the API server."""
MASTERS: Final = "system:masters"
"""The group whose members may do everything."""
KINDS: Final = frozenset({TOKEN_REVIEWS, SUBJECT_ACCESS_REVIEWS})


@dataclass(frozen=True, slots=True)
class Token:
    """A valid token."""

    user: Json
    """As a TokenReview shows it: `username`, `uid`, `groups`, `extra`."""
    audiences: tuple[str, ...] = (API_SERVER,)


@dataclass
class Accounts:
    """The tokens that the server accepts, and the rights of their users."""

    tokens: dict[str, Token] = field(default_factory=dict)
    is_allowed: Callable[[Json], bool] = lambda _: False
    """Whether the `spec` of a SubjectAccessReview describes a right; members of `system:masters` have all."""
    reason: str = ""
    """The reason of every SubjectAccessReview."""

    def review(self, request: Request) -> Json:
        """Return a review with its status."""
        spec, kind = request.body["spec"], request.resource
        status = self._review_token(spec) if kind == TOKEN_REVIEWS else self._review_access(spec)
        head = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"creationTimestamp": None}}
        return {**head, "spec": spec, "status": status}

    def _review_token(self, spec: Json) -> dict[str, Any]:
        token = self.tokens.get(spec["token"])
        shared = [each for each in spec.get("audiences") or (API_SERVER,) if token and each in token.audiences]
        if token is None or not shared:
            return {"user": {}, "error": "invalid bearer token"}
        return {"authenticated": True, "user": token.user, "audiences": shared}

    def _review_access(self, spec: Json) -> dict[str, Any]:
        allowed = MASTERS in (spec.get("groups") or ()) or self.is_allowed(spec)
        return {"allowed": allowed, **({"reason": self.reason} if self.reason else {})}
