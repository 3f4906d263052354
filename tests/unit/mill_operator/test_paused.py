"""A paused MillDeployment: what is changed or deleted stays so until it is resumed."""

from typing import Any

import pytest

from mill_api import names
from mill_api.pausing import is_paused
from mill_kube.resources import CRON_JOBS, DEPLOYMENTS, JOBS, SERVICES
from tests.support.reconciling import SERVICE, ReconcilerHarness, created_events, job_body

PAUSED = {"annotations": {names.ANNOTATION_PAUSED: "true"}}
RESUMED: dict[str, Any] = {"annotations": {}}


@pytest.fixture
def harness() -> ReconcilerHarness:
    return ReconcilerHarness()


def conditions(harness: ReconcilerHarness) -> dict[str, str]:
    return {each["type"]: each["status"] for each in harness.statuses[-1]["conditions"]}


def message(harness: ReconcilerHarness) -> str:
    found: str = next(each["message"] for each in harness.statuses[-1]["conditions"] if each["type"] == "Paused")
    return found


@pytest.mark.parametrize(
    ("value", "paused"),
    [("true", True), ("yes", True), ("2026-11-28", True), ("false", False), ("False", False), ("", False)],
)
def test_any_value_but_false_pauses(value: str, paused: bool) -> None:
    assert is_paused({"annotations": {names.ANNOTATION_PAUSED: value}}) is paused


def test_metadata_of_any_form_is_read() -> None:
    assert not is_paused({})
    assert not is_paused({"annotations": {names.ANNOTATION_PAUSED: 1}})


async def test_a_change_waits_until_it_is_resumed(harness: ReconcilerHarness) -> None:
    harness.change()
    await harness.reconcile()
    ready = conditions(harness)
    written = list(harness.writes)
    harness.change(spec={"services": [{**SERVICE, "image": "registry.example/web:2"}]}, generation=2, **PAUSED)
    await harness.reconcile()
    assert harness.writes == written
    assert conditions(harness) == ready | {"Paused": "True"}
    assert message(harness).startswith("paused; generation 2 waits: ")
    assert harness.statuses[-1]["observedGeneration"] == 1
    harness.change(**RESUMED)
    await harness.reconcile()
    assert harness.writes[len(written)] == ("apply", "Deployment web")
    assert "Paused" not in conditions(harness)
    assert harness.statuses[-1]["observedGeneration"] == 2


async def test_what_is_deleted_meanwhile_is_made_again_later(harness: ReconcilerHarness) -> None:
    harness.change()
    await harness.reconcile()
    harness.change(**PAUSED)
    harness.lose(SERVICES, "web")
    await harness.reconcile()
    assert harness.server.all(SERVICES) == []
    assert message(harness).startswith("paused: ")
    harness.change(**RESUMED)
    await harness.reconcile()
    assert len(harness.server.all(SERVICES)) == 1


async def test_a_pause_that_does_not_change_writes_once(harness: ReconcilerHarness) -> None:
    harness.change()
    await harness.reconcile()
    harness.change(**PAUSED)
    await harness.reconcile()
    sent = len(harness.server.requests)
    await harness.reconcile()
    assert len(harness.server.requests) == sent


async def test_a_resource_that_was_never_rolled_out_says_so(harness: ReconcilerHarness) -> None:
    harness.change(**PAUSED)
    await harness.reconcile()
    assert harness.server.all(DEPLOYMENTS) == []
    assert conditions(harness) == {"Ready": "False", "Paused": "True"}


async def test_runs_are_observed_during_a_pause(harness: ReconcilerHarness) -> None:
    harness.change(spec={"tasks": [{"name": "migrate", "image": "registry.example/migrate:1"}]})
    await harness.reconcile()
    (cron_job,) = harness.server.all(CRON_JOBS)
    harness.change(**PAUSED)
    harness.observe(JOBS, job_body(cron_job["metadata"]["uid"]))
    await harness.reconcile()
    assert harness.statuses[-1]["activeRuns"] == 1


async def test_a_pause_and_its_end_are_events(harness: ReconcilerHarness) -> None:
    harness.change()
    await harness.reconcile()
    harness.change(**PAUSED)
    await harness.reconcile()
    harness.change(**RESUMED)
    await harness.reconcile()
    await harness.reconciler.flush()
    assert [each["reason"] for each in created_events(harness.server)][-2:] == ["Paused", "Resumed"]
