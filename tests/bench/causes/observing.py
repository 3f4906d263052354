"""What the API server's own watches show of each service: when it shows its cause, and when Mill has its verdict."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from mill_kube.client import KubeClient
from mill_kube.resources import DEPLOYMENTS, EVENTS, JOBS, MILL_DEPLOYMENTS, PODS
from tests.bench.causes.cause import Cause, Json, Shows
from tests.bench.watching import watching

_KINDS: Final = (PODS, EVENTS, DEPLOYMENTS, JOBS)
_NAME: Final = re.compile(r"[a-z-]+-[0-9]{2}(?![0-9])")
"""A service's name, with which the names of its objects begin."""


@dataclass
class Measured:
    """The moments of one service, on the monotonic clock."""

    cause: Cause
    applied: float = 0.0
    shown: float | None = None
    """When an object showed the cause first."""
    judged: float | None = None
    code: str = ""
    """The code of the verdict."""
    rule: str = ""
    has_verdict: asyncio.Event = field(default_factory=asyncio.Event)

    def note_object(self, body: Json, shows: Shows) -> None:
        """Note an object of the service."""
        if self.shown is None and shows(body):
            self.shown = time.monotonic()

    def note_verdict(self, code: str, rule: str) -> None:
        """Note the first verdict."""
        if self.judged is None:
            self.judged = time.monotonic()
            self.code, self.rule = code, rule
            self.has_verdict.set()


class Observer:
    """Gives what the watches of several namespaces show to the service that it is about."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._measured: dict[str, Measured] = {}

    def expect(self, name: str, measured: Measured) -> None:
        """Begin to look at a service."""
        self._measured[name] = measured

    @asynccontextmanager
    async def watching(self, namespaces: list[str]) -> AsyncIterator[None]:
        """Watch while the block runs."""
        async with AsyncExitStack() as stack:
            for namespace in namespaces:
                for resource in _KINDS:
                    note = self._noting(resource.kind)
                    await stack.enter_async_context(watching(self._client, resource, namespace, note))
                note_verdict = watching(self._client, MILL_DEPLOYMENTS, namespace, self._note_status)
                await stack.enter_async_context(note_verdict)
            yield

    def _noting(self, kind: str) -> Callable[[Json], None]:
        def note(body: Json) -> None:
            about = body["involvedObject"] if kind == "Event" else body["metadata"]
            match = _NAME.match(about.get("name") or "")
            measured = self._measured.get(match[0]) if match else None
            if measured is not None:
                measured.note_object({"kind": kind, **body}, measured.cause.shows)

        return note

    def _note_status(self, body: Json) -> None:
        measured = self._measured.get(body["metadata"]["name"])
        if measured is None:
            return
        status = body.get("status", {})
        parts = [each for task in status.get("tasks", ()) for each in task.get("runs", ())]
        for each in parts if measured.cause.is_task else status.get("services", ()):
            if each.get("state") == "Failed":
                measured.note_verdict(each.get("reason") or "", each.get("rule") or "")
