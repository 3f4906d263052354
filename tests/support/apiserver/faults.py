"""The faults that a test scripts for requests to the in-memory API server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mill_kube.connection import APPLY, JSON_PATCH, MERGE_PATCH, Request
from mill_kube.resources import Resource
from mill_objects.json import Json

_PATCHES = {APPLY: "apply", MERGE_PATCH: "merge_patch", JSON_PATCH: "json_patch"}
_SUBRESOURCES = {"eviction": "evict", "log": "log"}


def action_of(request: Request) -> str:
    """Return what a request does.

    A patch is `apply`, `merge_patch` or `json_patch`, an eviction is `evict`, and reading a log is `log`; for all
    others it is the verb.
    """
    if request.verb == "patch":
        return _PATCHES[request.content_type]
    return _SUBRESOURCES.get(request.subresource or "", request.verb)


@dataclass
class Fault:
    """What happens to some requests of a kind instead of, or before, their answer."""

    action: str
    """Verb or action of the requests; `*` for all."""
    resource: Resource | None = None
    """None: of all kinds."""
    when: Callable[[Request], bool] = lambda _: True
    """Which of those requests."""
    first: int = 1
    """The first request that is hit, counted from 1 since the fault was added."""
    times: int | None = None
    """How many are hit; None: all from the first one on."""
    hold: asyncio.Event | None = None
    """The request waits until it is set; one that is never set lets it hang."""
    delay_seconds: float = 0.0
    meanwhile: Callable[[Request], object] | None = None
    """Called before the request is answered: what others do at that moment."""
    error: Exception | None = None
    """Raised instead of the answer."""
    answer: Json | None = None
    """Answered instead of what the server would, and not copied; nothing is read or written."""
    takes_effect: bool = False
    """With `error`: the request is served first, and its answer is lost."""
    matched: int = 0

    def hits(self, request: Request) -> bool:
        """Count a request, and return whether the fault hits it."""
        if self.action not in ("*", request.verb, action_of(request)):
            return False
        if (self.resource is not None and self.resource != request.resource) or not self.when(request):
            return False
        self.matched += 1
        return self.first <= self.matched and (self.times is None or self.matched < self.first + self.times)

    async def wait(self, request: Request) -> None:
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if self.hold is not None:
            await self.hold.wait()
        if self.meanwhile is not None:
            self.meanwhile(request)
