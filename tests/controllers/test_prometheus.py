"""Figures of operator and gateway in a real Prometheus, and the alerts of the chart."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hack.cluster import Cluster
from hack.commands import run
from hack.controllers import prometheus
from hack.controllers.prometheus import Prometheus
from hack.install import local_processes as local
from tests.e2e.conftest import GATEWAY, Namespace, wait_for
from tests.e2e.faults.operator_process import OperatorProcess

FILE = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}
"""
OPERATOR = f"http://127.0.0.1:{local.OPERATOR_PORT}/metrics"
ALERTS = {
    "MillOperatorNoLeader",
    "MillOperatorMultipleLeaders",
    "MillWatchSilent",
    "MillOperatorInternalError",
    "MillOperatorForbidden",
    "MillObjectUnreadable",
    "MillOperatorVerdictsSlow",
    "MillOperatorQueueSlow",
    "MillOperatorApiErrors",
}


def target(job: str, port: int, path: str) -> dict[str, object]:
    return {"job_name": job, "metrics_path": path, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}


@pytest.fixture(scope="module")
def running(cluster: Cluster) -> Iterator[Prometheus]:
    """Prometheus, which asks both as the monitors of the chart have it."""
    jobs = [
        target("mill-operator", local.OPERATOR_PORT, "/metrics"),
        target("mill-gateway", local.GATEWAY_PORT, "/v1/metrics"),
    ]
    started = prometheus.up(jobs)
    try:
        wait_for("both targets", lambda: started.targets() == {"mill-operator": "up", "mill-gateway": "up"})
        yield started
    finally:
        prometheus.down()


def value(running: Prometheus, expression: str) -> float:
    """Return the value of an expression with at most one series; 0 without any."""
    found = running.query(expression)
    assert len(found) <= 1, found
    return float(found[0]["value"][1]) if found else 0.0


def firing(running: Prometheus) -> set[str]:
    return {each["metric"]["alertname"] for each in running.query('ALERTS{alertstate="firing"}')}


def test_a_rollout_is_counted_by_both(running: Prometheus, namespace: Namespace) -> None:
    ended = 'sum(mill_operator_rollouts_total{result="succeeded"})'
    asked = 'sum(mill_gateway_requests_total{route="/v1/deploy",code="200"})'
    before = {each: value(running, each) for each in (ended, asked)}
    assert namespace.deploy(FILE).code == 0
    for each, known in before.items():
        wait_for(each, lambda each=each, known=known: value(running, each) == known + 1)  # type: ignore[misc]


def test_every_alert_is_evaluated_and_none_fires(running: Prometheus) -> None:
    def evaluated() -> bool:
        return all(each["health"] == "ok" for each in running.rules())

    wait_for("an evaluation", evaluated)
    assert {each["name"] for each in running.rules()} == ALERTS
    assert firing(running) == set()


def test_an_operator_that_is_gone_is_an_alert_after_a_minute(running: Prometheus, operator: OperatorProcess) -> None:
    with operator.down():
        wait_for("the alert", lambda: firing(running) == {"MillOperatorNoLeader"}, seconds=400)
    wait_for("its end", lambda: firing(running) == set())


@pytest.mark.parametrize("url", [OPERATOR, f"{GATEWAY}/v1/metrics"], ids=["operator", "gateway"])
def test_promtool_has_nothing_against_the_figures(running: Prometheus, url: str) -> None:
    run("promtool", "check", "metrics", stdin=httpx.get(url, timeout=30).raise_for_status().text)


def test_promtool_has_nothing_against_the_alerts(tmp_path: Path) -> None:
    prometheus.write_rules(tmp_path / "alerts.yaml")
    assert f"SUCCESS: {len(ALERTS)} rules found" in run("promtool", "check", "rules", tmp_path / "alerts.yaml")


def test_each_alert_fires_for_what_it_is_about_and_for_nothing_else(tmp_path: Path) -> None:
    prometheus.write_rules(tmp_path / "alerts.yaml")
    cases = Path(__file__).with_name("alerts.yaml").read_text()
    (tmp_path / "cases.yaml").write_text(cases)
    assert {name for name in ALERTS if f"alertname: {name}\n" in cases} == ALERTS, "each has a case"
    run("promtool", "test", "rules", tmp_path / "cases.yaml")
