"""Lookups of Namespaces, whose annotations say what the routes in them may be. They are not watched.

Right needed: `get` namespaces. Without it no service gets a host that it does not have already, since a limit that an
administrator has set must not end when an older role is in effect.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mill_kube.client import KubeClient
from mill_kube.connection import Request
from mill_kube.errors import ApiError, KubeError, NotFound
from mill_kube.resources import NAMESPACES
from mill_operator.core.routes.namespace_rules import NO_RULES, NamespaceRules, project_namespace

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 25.0
"""How long a result is used. A refused write is tried again after 30 seconds, which then sees a newer one."""
STALE_SECONDS: Final = 300.0
"""How long an older result is used while the API server does not answer."""
KEPT: Final = 1000
"""Namespaces in the cache; the least recently used go first."""


@dataclass(slots=True)
class _Known:
    """The last result of a namespace, and the lookup that may be running."""

    rules: NamespaceRules | None = None
    read_at: float = float("-inf")
    error: KubeError | None = None
    """Why the last lookup had no result."""
    task: asyncio.Task[None] | None = None


class NamespaceRulesLookup:
    """Looks up the rules of namespaces, at most once in `FRESH_SECONDS` each."""

    def __init__(self, client: KubeClient, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._now = now
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._is_forbidden = False

    async def rules(self, namespace: str) -> NamespaceRules:
        """Return the rules of a namespace. Raise `KubeError` if the API server is away, and has been for long."""
        known = self._known.setdefault(namespace, _Known())
        self._known.move_to_end(namespace)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        age = self._now() - known.read_at
        if known.rules is not None and age < FRESH_SECONDS:
            return known.rules
        if known.task is None:
            known.task = asyncio.create_task(self._look_up(namespace, known))
        await asyncio.wait([known.task])
        if known.error is not None and (known.rules is None or age > STALE_SECONDS):
            raise known.error
        return known.rules or NO_RULES

    async def _look_up(self, namespace: str, known: _Known) -> None:
        try:
            known.rules, known.error = await self._read(namespace), None
            known.read_at = self._now()
        except KubeError as error:
            known.error = error
        finally:
            known.task = None

    async def _read(self, namespace: str) -> NamespaceRules:
        try:
            body = await self._client.request(Request("get", NAMESPACES, None, namespace))
        except NotFound:
            return NO_RULES  # nothing can be written into it
        except ApiError as error:
            if error.status != 403:
                raise
            if not self._is_forbidden:
                self._is_forbidden = True
                log.warning("cannot read namespaces; services get no hosts that they do not have: %s", error)
            return NamespaceRules(problem="the operator may not read the Namespace")
        return project_namespace(body)
