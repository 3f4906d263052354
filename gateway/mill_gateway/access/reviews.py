"""Kubernetes' own answers: whose a token is (TokenReview), and what that user may do (SubjectAccessReview).

Both are remembered for seconds, so that a right that is taken away ends soon. Tokens are remembered by their hash.
A token is asked about for our own audiences first, and then, if the settings allow that, for the API server's: one of
the latter is good there as well, for whoever gets hold of it here.
"""

import hashlib
import math
import re
import time
from dataclasses import dataclass
from typing import Any, Final, Self

from mill_gateway.access.callers import User
from mill_gateway.access.concurrency import Busy, Turns, TurnsOfEach
from mill_gateway.access.token_budget import Budget
from mill_gateway.access.ttl_cache import Clock, Remembered
from mill_gateway.exceptions import AccessCheckFailed, LimitReached
from mill_gateway.settings import Settings
from mill_kube.client import ApiError, KubeClient
from mill_kube.resources import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Resource

YES_SECONDS: Final = 10.0
NO_SECONDS: Final = 3.0
LONGEST_TOKEN: Final = 16 * 1024
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
"""What a token may be: what a header carries, without blanks. Webhooks make them of any form."""
WAITING: Final = 4
"""How many reviews of tokens that are not known, or for one caller, may wait for each that may be made at once."""
KNOWN_WAITING: Final = 1024
TOO_MANY_TOKENS: Final = (
    "too many tokens are being checked that this gateway has not seen before: try again in a moment (MILL_MAX_REVIEWS)"
)
TOO_MANY_RIGHTS: Final = "too many rights are being asked about: try again in a moment (MILL_MAX_REVIEWS)"
TOO_MANY_WRONG: Final = (
    "too many wrong tokens have come from this address: try again in {seconds} s (MILL_MAX_FAILED_TOKENS)"
)


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


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose a token is."""

    user: User
    ours: bool
    """Whether it is for one of our audiences, rather than for the API server."""


class Reviews:
    """Asks the API server, so many questions at once as the settings say."""

    def __init__(self, client: KubeClient, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._client = client
        self._audiences = settings.token_audiences
        self._forms = (True, False) if settings.api_server_tokens else (True,)
        most = settings.max_reviews
        self._token_turns = Turns(most, KNOWN_WAITING)
        # Those who are known wait for nobody else, when the answer that is remembered has become too old.
        self._new_turns = Turns(most - most // 4, most * WAITING)
        self._access_turns = Turns(most, KNOWN_WAITING)
        self._turns_of_each = TurnsOfEach(max(1, most // 2), most * WAITING)
        self._budget = Budget(settings.max_failed_tokens, clock=clock)
        self._identities: Remembered[str, Identity | None] = Remembered(
            lambda identity: YES_SECONDS if identity else NO_SECONDS,
            cheap=lambda identity: identity is None,
            clock=clock,
        )
        self._verdicts: Remembered[tuple[User, Doing], Verdict] = Remembered(
            lambda verdict: YES_SECONDS if verdict.allowed else NO_SECONDS,
            cheap=lambda verdict: not verdict.allowed,
            clock=clock,
        )

    async def user(self, token: str, address: str | None) -> User | None:
        """Return whose a token is; None if it is nobody's.

        `address` is where it came from, if that tells senders apart. Raise `LimitReached`.
        """
        if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        identity = await self._identities.answer(digest, lambda: self._identify(token, digest, address))
        return None if identity is None else identity.user

    async def may(self, user: User, doing: Doing) -> Verdict:
        """Tell whether a user may do something. Raise `LimitReached`."""
        return await self._verdicts.answer((user, doing), lambda: self._review_access(user, doing))

    async def _identify(self, token: str, digest: str, address: str | None) -> Identity | None:
        known = self._identities.last(digest)
        try:
            if known is not None:
                async with self._token_turns.turn():
                    return await self._review_token(token, ours=known.ours)
            with _Paid(self._budget, address) as paid:
                async with self._new_turns.turn(), self._token_turns.turn():
                    for ours in self._forms:
                        if (identity := await self._review_token(token, ours=ours)) is not None:
                            return identity
                    paid.keep()
                    return None
        except Busy:
            raise LimitReached(TOO_MANY_TOKENS, limit="reviews", retry_after=1) from None

    async def _review_token(self, token: str, *, ours: bool) -> Identity | None:
        """Ask whose a token is; for our audiences, or for the API server."""
        spec = {"token": token, "audiences": list(self._audiences)} if ours else {"token": token}
        status = await self._ask(TOKEN_REVIEWS, spec)
        if not status.get("authenticated"):
            return None
        # Who authenticates without a look at audiences does not name one: the token is good, but not for us.
        if ours and not set(self._audiences) & set(status.get("audiences") or ()):
            return None
        return Identity(User.read(status.get("user") or {}), ours)

    async def _review_access(self, user: User, doing: Doing) -> Verdict:
        try:
            async with self._turns_of_each.turn(user), self._access_turns.turn():
                status = await self._ask(SUBJECT_ACCESS_REVIEWS, {**user.to_spec(), **doing.to_spec()})
        except Busy:
            raise LimitReached(TOO_MANY_RIGHTS, limit="reviews", retry_after=1) from None
        return Verdict(bool(status.get("allowed")), status.get("reason") or "")

    async def _ask(self, resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        try:
            answer = await self._client.request("create", resource, None, body=body)
        except ApiError as error:
            # Not the API server's words: they may repeat what was asked, the token.
            raise AccessCheckFailed(f"the cluster does not answer a {resource.kind}: HTTP {error.status}") from None
        status: dict[str, Any] = answer.get("status") or {}
        return status


class _Paid:
    """One of an address' wrong tokens, which is given back unless it is kept: it may be a right one."""

    def __init__(self, budget: Budget, address: str | None) -> None:
        self._budget = budget
        self._address = address
        self._kept = False

    def __enter__(self) -> Self:
        if self._address is not None and (seconds := math.ceil(self._budget.take(self._address))):
            message = TOO_MANY_WRONG.format(seconds=seconds)
            raise LimitReached(message, limit="failed_tokens", retry_after=seconds)
        return self

    def __exit__(self, *_: object) -> None:
        if self._address is not None and not self._kept:
            self._budget.give_back(self._address)

    def keep(self) -> None:
        """Say that the token was wrong."""
        self._kept = True
