"""The places of updates over all MillDeployments: never too many, and none is left free while a service waits."""

from typing import Any, cast

import pytest

from mill_objects.key import Key
from mill_operator import update_places
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.rollout.updates import Elsewhere, UpdatePlan
from mill_operator.update_places import UpdatePlaces

A, B, C = (Key("shop", name) for name in "abc")


class Fleet:
    """Places, and MillDeployments whose numbers of waiting services the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.woken: list[Key] = []
        self.places = UpdatePlaces(self.woken.append)
        self.waiting: dict[Key, int] = {}
        self.alone: dict[Key, int] = {}
        self.taken: dict[Key, int] = {}
        monkeypatch.setattr(update_places, "decide_updates", self.decide)

    def decide(self, goal: Any, _snapshot: Snapshot, _status: Any, elsewhere: Elsewhere) -> UpdatePlan:
        key = goal.resource.key
        taken = self.taken.get(key, 0)
        begin = min(self.waiting.get(key, 0), max(0, 10 - elsewhere.taken - taken))
        self.waiting[key] = self.waiting.get(key, 0) - begin
        taken += begin
        alone = self.alone.get(key, 0)
        if alone and not self.waiting[key] and not elsewhere.has_waiting and elsewhere.taken + taken == 0:
            self.alone[key], taken = alone - 1, 1
        self.taken[key] = taken
        return UpdatePlan(taken=taken, wants_place=self.waiting[key] > 0, wants_place_alone=self.alone.get(key, 0) > 0)

    def reconcile(self, key: Key, *, settled: int = 0) -> int:
        """Reconcile a MillDeployment, of which so many services have settled. Return how many places it takes."""
        goal = cast("Any", type("Goal", (), {"resource": type("Resource", (), {"key": key})}))
        self.places.plan(goal, Snapshot(), cast("Any", None))
        self.taken[key] -= settled
        self.places.reconciled(key, self.taken[key])
        return self.taken[key]

    def requeued(self) -> list[Key]:
        """Return the keys that were requeued since the last call."""
        woken = list(self.woken)
        self.woken.clear()
        return woken


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    return Fleet(monkeypatch)


def test_ten_places_are_for_all(fleet: Fleet) -> None:
    fleet.waiting = {A: 7, B: 7}
    assert (fleet.reconcile(A), fleet.reconcile(B)) == (7, 3)
    assert fleet.requeued() == []


def test_a_free_place_goes_to_the_one_that_waits(fleet: Fleet) -> None:
    fleet.waiting = {A: 10, B: 3, C: 3}
    assert [fleet.reconcile(key) for key in (A, B, C)] == [10, 0, 0]
    fleet.reconcile(A, settled=1)
    assert fleet.requeued() == [B]
    assert fleet.reconcile(B) == 1
    fleet.reconcile(A, settled=4)
    assert set(fleet.requeued()) == {B, C}


def test_one_that_is_not_reconciled_at_once_leaves_the_next_place_to_another(fleet: Fleet) -> None:
    fleet.waiting = {A: 10, B: 1, C: 1}
    for key in (A, B, C):
        fleet.reconcile(key)
    fleet.reconcile(A, settled=1)
    fleet.reconcile(A)
    assert fleet.requeued() == [B, C]


def test_the_places_of_one_that_is_gone_are_free(fleet: Fleet) -> None:
    fleet.waiting = {A: 10, B: 3}
    fleet.reconcile(A)
    fleet.reconcile(B)
    fleet.places.forget(A)
    assert fleet.requeued() == [B]
    assert fleet.reconcile(B) == 3


def test_one_that_fails_keeps_its_places_and_is_not_requeued_for_more(fleet: Fleet) -> None:
    fleet.waiting = {A: 9, B: 5}
    fleet.reconcile(A)
    fleet.reconcile(B)
    fleet.places.failed(B)
    fleet.reconcile(A, settled=9)
    assert fleet.requeued() == []
    assert fleet.reconcile(B) == 5


def test_volumes_come_when_no_other_waits_or_is_updated(fleet: Fleet) -> None:
    fleet.waiting, fleet.alone = {A: 11}, {A: 1, B: 1}
    assert (fleet.reconcile(A), fleet.reconcile(B)) == (10, 0)
    assert fleet.reconcile(A, settled=9) == 1
    assert fleet.requeued() == [A]
    assert fleet.reconcile(A, settled=2) == 0
    assert fleet.requeued() == [A]
    assert (fleet.reconcile(A), fleet.reconcile(B)) == (1, 0)
    assert fleet.reconcile(A, settled=1) == 0
    assert fleet.requeued() == [B]
    assert fleet.reconcile(B) == 1


def test_after_a_start_none_is_given_away_before_all_were_reconciled_once(fleet: Fleet) -> None:
    fleet.places.expect([A, B, C])
    fleet.waiting, fleet.taken = {A: 10, C: 2}, {B: 9}
    assert (fleet.reconcile(A), fleet.reconcile(B)) == (0, 9)
    assert fleet.requeued() == []
    fleet.places.failed(C)
    assert fleet.requeued() == [A]
    assert fleet.reconcile(A) == 1


def test_nothing_is_kept_when_all_is_over(fleet: Fleet) -> None:
    fleet.waiting = {A: 3, B: 3}
    for key in (A, B):
        fleet.reconcile(key, settled=3)
    fleet.places.forget(C)
    places = fleet.places
    assert (places._taken, places._total) == ({}, 0)
    assert (list(places._waiting), list(places._waiting_alone), places._expected) == ([], [], set())
