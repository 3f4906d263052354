"""Metrics of the operator; no name of a user's object becomes a label."""

import re
import time
from pathlib import Path

import pytest

from mill_api.rollouts import Rollout
from mill_api.service_status import Phase, ServiceStatus, Transition
from mill_api.status import MillDeploymentStatus
from mill_kube.calls import Call
from mill_kube.reflector import Reflector
from mill_kube.resources import DEPLOYMENTS, PODS
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.metrics import ROLLOUT_RESULTS, Metrics
from tests.support.apiserver import ApiServer, InMemoryClient

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "operations.md"
AT = "2026-01-31T12:00:00.000Z"
RUNNING = MillDeploymentStatus(
    rollout=Rollout(id="1", started_at=AT), services=[ServiceStatus(name="web"), ServiceStatus(name="broken")]
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"mill_operator_{name}", labels)


def with_steps(**phases: Phase) -> MillDeploymentStatus:
    services = [
        ServiceStatus(name=name, transitions=[Transition(seq=1, at=AT, phase=phase)]) for name, phase in phases.items()
    ]
    return RUNNING.model_copy(update={"services": services})


def test_a_verdict_is_measured_from_its_evidence(metrics: Metrics) -> None:
    metrics.written(StatusChange.between(RUNNING, with_steps(web=Phase.SCHEDULED, broken=Phase.FAILED)), 0.02)
    assert value(metrics, "verdict_latency_seconds_count") == 1
    assert value(metrics, "verdict_latency_seconds_sum") == 0.02
    assert value(metrics, "status_writes_total") == 1


def test_a_write_without_a_verdict_counts_as_a_write_alone(metrics: Metrics) -> None:
    metrics.written(StatusChange.between(RUNNING, with_steps(web=Phase.SCHEDULED)), 0.02)
    assert value(metrics, "verdict_latency_seconds_count") == 0
    assert value(metrics, "status_writes_total") == 1


def test_rollouts_are_counted_when_they_end(metrics: Metrics) -> None:
    ended = RUNNING.model_copy(update={"rollout": Rollout(id="1", started_at=AT, finished_at=AT, success=False)})
    metrics.written(StatusChange.between(RUNNING, ended), None)
    metrics.written(StatusChange.between(ended, ended), None)
    assert {each: value(metrics, "rollouts_total", result=each) for each in ROLLOUT_RESULTS} == {
        "succeeded": 0,
        "failed": 1,
        "superseded": 0,
        "refused": 0,
    }


def test_requests_are_counted_by_verb_resource_and_code(metrics: Metrics) -> None:
    metrics.request(Call("patch", DEPLOYMENTS), 201, 0.1)
    metrics.request(Call("patch", DEPLOYMENTS), None, 30.0)
    for code in ("201", "none"):
        assert value(metrics, "api_requests_total", verb="patch", resource="deployments.apps", code=code) == 1
    assert value(metrics, "api_request_duration_seconds_count", verb="patch") == 2


def test_watches_are_measured_at_each_scrape(metrics: Metrics) -> None:
    pods: Reflector[object] = Reflector(
        InMemoryClient(ApiServer()), PODS, project=lambda body: body, on_change=lambda *_: None
    )
    pods.restarts, pods.last_heard = 3, time.monotonic() - 100
    metrics.watches([pods])
    assert value(metrics, "watch_restarts_total", resource="pods") == 3
    silent = value(metrics, "watch_silent_seconds", resource="pods")
    assert silent is not None
    assert 100 <= silent < 160


def test_no_label_is_named_after_a_users_object(metrics: Metrics) -> None:
    metrics.written(StatusChange.between(RUNNING, with_steps(web=Phase.HEALTHY, broken=Phase.FAILED)), 0.02)
    metrics.request(Call("get", PODS), 200, 0.1)
    labels = {name for family in metrics.registry.collect() for sample in family.samples for name in sample.labels}
    assert labels == {"result", "part", "verb", "resource", "code", "le", "version"}


def test_the_documentation_names_every_metric_and_no_other(metrics: Metrics) -> None:
    metrics.watches([])
    documented = set(re.findall(r"^\| `(mill_operator_\w+)` \|", DOCUMENTATION.read_text(), re.MULTILINE))
    there = {
        f"{family.name}_total"
        if family.type == "counter"
        else f"{family.name}_info"
        if family.type == "info"
        else family.name
        for family in metrics.registry.collect()
        if family.name.startswith("mill_operator_")
    }
    assert documented == there
