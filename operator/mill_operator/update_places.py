"""The places of services whose pod templates the operator itself changes, over all MillDeployments.

A place is taken for as long as a service was changed and has neither settled nor failed. What is kept may be lost: a
reconciliation finds the places of its services in the status and in the Deployments.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

from mill_api.status import MillDeploymentStatus
from mill_objects.key import Key
from mill_operator.core import limits
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.reconcile.goal import Goal
from mill_operator.core.reconcile.writes import decide_updates
from mill_operator.core.rollout.updates import Elsewhere, UpdatePlan


class UpdatePlaces:
    """The places of this process. It calls `requeue` with the key of a MillDeployment that may take one.

    It keeps a number for each MillDeployment with updates, and its key while one of its services waits.
    """

    def __init__(self, requeue: Callable[[Key], None] = lambda _key: None) -> None:
        self._requeue = requeue
        self._taken: dict[Key, int] = {}
        self._total = 0
        self._waiting: OrderedDict[Key, None] = OrderedDict()
        """MillDeployments with services that wait for a place, the first of them next."""
        self._waiting_alone: OrderedDict[Key, None] = OrderedDict()
        """MillDeployments with services that wait for their turn, which is after all others."""
        self._expected: set[Key] = set()

    def expect(self, keys: Iterable[Key]) -> None:
        """Give no place away before each of these MillDeployments was reconciled once.

        Updates that began before the operator started have taken their places by then.
        """
        self._expected.update(keys)

    def plan(self, goal: Goal, snapshot: Snapshot, status: MillDeploymentStatus) -> UpdatePlan:
        """Decide which updates of a MillDeployment begin, and take their places."""
        key = goal.resource.key
        plan = decide_updates(goal, snapshot, status, self._elsewhere(key))
        self._take(key, plan.taken)
        _keep(self._waiting, key, waits=plan.wants_place)
        _keep(self._waiting_alone, key, waits=plan.wants_place_alone)
        return plan

    def reconciled(self, key: Key, taken: int) -> None:
        """Note how many places a MillDeployment takes after a reconciliation. Free ones go to those that wait."""
        self._take(key, taken)
        self._expected.discard(key)
        self._give_away()

    def failed(self, key: Key) -> None:
        """Note a reconciliation that failed. Its services keep their places, and wait no more until the next one."""
        self._stop_waiting(key)
        self.reconciled(key, self._taken.get(key, 0))

    def forget(self, key: Key) -> None:
        """Free the places of a MillDeployment that is gone, or whose spec is refused."""
        self._stop_waiting(key)
        self.reconciled(key, 0)

    def _elsewhere(self, key: Key) -> Elsewhere:
        if self._expected:
            return Elsewhere(limits.UPDATES_AT_ONCE, has_waiting=True)
        waiting = len(self._waiting) - (key in self._waiting)
        return Elsewhere(self._total - self._taken.get(key, 0), has_waiting=waiting > 0)

    def _take(self, key: Key, taken: int) -> None:
        self._total += taken - self._taken.pop(key, 0)
        if taken:
            self._taken[key] = taken

    def _stop_waiting(self, key: Key) -> None:
        self._waiting.pop(key, None)
        self._waiting_alone.pop(key, None)

    def _give_away(self) -> None:
        """Requeue as many MillDeployments as there are free places: each takes what it needs."""
        if self._expected:
            return
        free, waiting = limits.UPDATES_AT_ONCE - self._total, self._waiting
        if not waiting:
            free, waiting = int(self._total == 0), self._waiting_alone
        for _ in range(min(free, len(waiting))):
            key, _ = waiting.popitem(last=False)
            waiting[key] = None  # last: if this one is throttled, the next place goes to another
            self._requeue(key)


def _keep(keys: OrderedDict[Key, None], key: Key, *, waits: bool) -> None:
    if waits:
        keys.setdefault(key)
    else:
        keys.pop(key, None)
