"""Callers: the authenticated senders of requests."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import Headers

SCHEME: Final = "Bearer "


@dataclass(frozen=True, slots=True)
class User:
    """User of a Kubernetes token, as a TokenReview returns it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def read(cls, user: dict[str, Any]) -> "User":
        """Read the `user` of a TokenReview's status."""
        extra = sorted((key, tuple(values)) for key, values in (user.get("extra") or {}).items())
        return cls(user.get("username", ""), user.get("uid", ""), tuple(user.get("groups") or ()), tuple(extra))

    def to_spec(self) -> dict[str, Any]:
        """Return the attributes of the user in a SubjectAccessReview."""
        extra = {key: list(values) for key, values in self.extra}
        return {"user": self.name, "uid": self.uid, "groups": list(self.groups), "extra": extra}


@dataclass(frozen=True, slots=True)
class Caller:
    """Authenticated sender of a request."""

    name: str
    """Name in logs and errors, never the token."""
    user: User | None = None
    """The Kubernetes user, whose rights the cluster checks; None for a caller with an admin token."""
    namespaces: frozenset[str] | None = None
    """The namespaces to which an admin token is limited; None for all."""


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


CurrentCaller = Annotated[Caller, Depends(_caller)]
"""The caller of a request."""


def presented_token(headers: Headers) -> str:
    """Return the token of a request. The API server's proxy removes `Authorization`, hence the second header."""
    value = headers.get("authorization", "")
    return value.removeprefix(SCHEME) if value.startswith(SCHEME) else headers.get("mill-token", "")
