"""Reviews by the API server: the user of a token (TokenReview), and the user's rights (SubjectAccessReview).

Both are cached for seconds, so that a revoked right ends soon. The key of a token is its hash. A token is reviewed for
the gateway's audiences first, and then, if the settings allow it, for those of the API server. A token of the second
kind is valid at the API server as well, for anyone who obtains it from the gateway.
"""

import hashlib
import math
import re
import time
from dataclasses import dataclass
from typing import Any, Final, Self

from mill_gateway.access.access_request import AccessRequest
from mill_gateway.access.callers import User
from mill_gateway.access.concurrency import ConcurrencyLimit, ConcurrencyLimitPerKey, QueueFull
from mill_gateway.access.token_budget import TokenBudget
from mill_gateway.access.ttl_cache import Clock, TTLCache
from mill_gateway.exceptions.access import AccessCheckFailed
from mill_gateway.exceptions.limits import LimitReached
from mill_gateway.settings import Settings
from mill_kube.client import KubeClient
from mill_kube.connection import Request
from mill_kube.errors import ApiError
from mill_kube.resources import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Resource

YES_SECONDS: Final = 10.0
NO_SECONDS: Final = 3.0
LONGEST_TOKEN: Final = 16 * 1024
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
"""Any token that a header can carry: ASCII without blanks. Webhooks issue tokens of any form."""
WAITING: Final = 4
"""Reviews of unknown tokens, or for one caller, that may wait for each concurrent one."""
KNOWN_WAITING: Final = 1024
TOO_MANY_TOKENS: Final = "too many unknown tokens are being checked: try again in a moment (MILL_MAX_REVIEWS)"
TOO_MANY_CHECKS: Final = "too many access checks are running: try again in a moment (MILL_MAX_REVIEWS)"
TOO_MANY_WRONG: Final = (
    "too many wrong tokens have come from this address: try again in {seconds} s (MILL_MAX_FAILED_TOKENS)"
)


@dataclass(frozen=True, slots=True)
class AccessReview:
    """Whether a user has a right, and the API server's reason."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of a token."""

    user: User
    for_gateway: bool
    """Whether the token is for an audience of the gateway, not for the API server."""


class Reviews:
    """Requests and caches reviews; the settings limit the concurrent ones."""

    def __init__(self, client: KubeClient, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._client = client
        self._audiences = settings.token_audiences
        self._kinds = (True, False) if settings.api_server_tokens else (True,)
        """The values of `Identity.for_gateway` that the settings allow, in the order of the reviews."""
        most = settings.max_reviews
        self._token_limit = ConcurrencyLimit(most, KNOWN_WAITING)
        # Unknown tokens cannot delay the renewal of an identity that has expired in the cache.
        self._unknown_token_limit = ConcurrencyLimit(most - most // 4, most * WAITING)
        self._access_limit = ConcurrencyLimit(most, KNOWN_WAITING)
        self._caller_limit = ConcurrencyLimitPerKey(max(1, most // 2), most * WAITING)
        self._budget = TokenBudget(settings.max_failed_tokens, clock=clock)
        self._identities: TTLCache[str, Identity | None] = TTLCache(
            lambda identity: YES_SECONDS if identity else NO_SECONDS,
            cheap=lambda identity: identity is None,
            clock=clock,
        )
        self._reviews: TTLCache[tuple[User, AccessRequest], AccessReview] = TTLCache(
            lambda review: YES_SECONDS if review.allowed else NO_SECONDS,
            cheap=lambda review: not review.allowed,
            clock=clock,
        )

    async def user(self, token: str, address: str | None) -> User | None:
        """Return the user of a token, or None if the token is not valid. Raise `LimitReached`.

        `address` is the client's, or None if many clients may share it.
        """
        if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        identity = await self._identities.get(digest, lambda: self._identify(token, digest, address))
        return None if identity is None else identity.user

    async def is_allowed(self, user: User, request: AccessRequest) -> AccessReview:
        """Return whether a user may do something. Raise `LimitReached`."""
        return await self._reviews.get((user, request), lambda: self._review_access(user, request))

    async def _identify(self, token: str, digest: str, address: str | None) -> Identity | None:
        known = self._identities.last_valuable(digest)
        try:
            if known is not None:
                async with self._token_limit.slot():
                    return await self._review_token(token, for_gateway=known.for_gateway)
            with _Attempt(self._budget, address) as attempt:
                async with self._unknown_token_limit.slot(), self._token_limit.slot():
                    for for_gateway in self._kinds:
                        if (identity := await self._review_token(token, for_gateway=for_gateway)) is not None:
                            return identity
                    attempt.fail()
                    return None
        except QueueFull:
            raise LimitReached(TOO_MANY_TOKENS, limit="reviews", retry_after=1) from None

    async def _review_token(self, token: str, *, for_gateway: bool) -> Identity | None:
        """Review a token, for the gateway's audiences or for the API server's."""
        spec = {"token": token, "audiences": list(self._audiences)} if for_gateway else {"token": token}
        status = await self._request(TOKEN_REVIEWS, spec)
        if not status.get("authenticated"):
            return None
        # An authenticator that ignores audiences returns none: the token is valid, but not for the gateway.
        if for_gateway and not set(self._audiences) & set(status.get("audiences") or ()):
            return None
        return Identity(User.read(status.get("user") or {}), for_gateway)

    async def _review_access(self, user: User, request: AccessRequest) -> AccessReview:
        try:
            async with self._caller_limit.slot(user), self._access_limit.slot():
                status = await self._request(SUBJECT_ACCESS_REVIEWS, {**user.to_spec(), **request.to_spec()})
        except QueueFull:
            raise LimitReached(TOO_MANY_CHECKS, limit="reviews", retry_after=1) from None
        return AccessReview(bool(status.get("allowed")), status.get("reason") or "")

    async def _request(self, resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
        """Create a review and return its status. Raise `AccessCheckFailed`."""
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        try:
            review = await self._client.request(Request("create", resource, body=body))
        except ApiError as error:
            # Without the API server's message, which may repeat the request, and with it the token.
            raise AccessCheckFailed(f"the cluster does not answer a {resource.kind}: HTTP {error.status}") from None
        status: dict[str, Any] = review.get("status") or {}
        return status


class _Attempt:
    """Use of one wrong token of an address's budget, refunded unless the token proves wrong."""

    def __init__(self, budget: TokenBudget, address: str | None) -> None:
        self._budget = budget
        self._address = address
        self._failed = False

    def __enter__(self) -> Self:
        if self._address is not None and (seconds := math.ceil(self._budget.take(self._address))):
            message = TOO_MANY_WRONG.format(seconds=seconds)
            raise LimitReached(message, limit="failed_tokens", retry_after=seconds)
        return self

    def __exit__(self, *_: object) -> None:
        if self._address is not None and not self._failed:
            self._budget.refund(self._address)

    def fail(self) -> None:
        """Keep the use: the token was wrong."""
        self._failed = True
