"""Who calls."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    name: str
    """For logs and errors: never the token."""
    reviewed: bool = False
    """Whether Kubernetes knows it, and says what it may do. Others may do everything that the gateway does."""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


Calling = Annotated[Caller, Depends(_caller)]
"""The caller of a request."""
