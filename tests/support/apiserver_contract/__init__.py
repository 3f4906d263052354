"""What Mill relies on in an API server, as checks that run against a real one and against the in-memory one.

Each check makes objects of its own in a namespace and examines shapes: statuses, reasons, versions, the order of
events. The kinds are those that no controller changes: Secrets, Leases, Ingresses of a class without a controller, and
Pods that are not scheduled.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from tests.support.apiserver_contract import applies, deletions, pods, reviews, watches, writes
from tests.support.apiserver_contract.contract import Contract

__all__ = ["CHECKS", "Contract"]

CHECKS: Final[tuple[Callable[[Contract], Awaitable[None]], ...]] = (
    *writes.CHECKS,
    *applies.CHECKS,
    *deletions.CHECKS,
    *watches.CHECKS,
    *pods.CHECKS,
    *reviews.CHECKS,
)
