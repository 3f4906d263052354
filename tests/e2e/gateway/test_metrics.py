"""Figures for Prometheus, on the real cluster."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.seed import NODE

from .conftest import StartGateway
from .process import GatewayProcess

pytestmark = pytest.mark.alone

FILE = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}

task "brief" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-exit-after", "1s", "-exit-code", "0"]
}
"""


def test_figures_are_those_of_the_cluster_and_of_what_was_asked(
    namespace: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway()
    with gateway.client(params={"namespace": namespace.name}) as http:
        deployed = http.post("/v1/deploy", content=FILE.replace("REGISTRY", namespace.registry))
        assert '"success": true' in deployed.text
        assert http.post("/v1/tasks/spawn", json={"task": "brief"}).status_code == 200
        namespace.kubectl("create", "job", "by-hand", "--from=cronjob/brief")
        brief = {"task": "brief"}
        wait_for("the ends of both runs", lambda: _value(gateway, "mill_tasks_duration_seconds_count", brief) == 2)
        assert _value(gateway, "mill_tasks_spawned_total", brief) == 2
        assert 2 <= (_value(gateway, "mill_tasks_duration_seconds_sum", brief) or 0) < 120
        (node,) = [each for each in http.get("/v1/nodes").json() if each["id"] == NODE]
        cpu = _value(gateway, "mill_node_cpu_available", {"node": NODE})
        assert cpu is not None
        assert 0 < cpu < node["cpu_total"]
    asked = {"method": "POST", "route": "/v1/deploy", "code": "200"}
    assert _value(gateway, "mill_gateway_requests_total", asked) == 1
    assert _value(gateway, "mill_gateway_streams", {"kind": "rollout"}) == 0
    assert (_value(gateway, "mill_gateway_watch_silent_seconds", {"resource": "pods"}) or 0) < 75


def _value(gateway: GatewayProcess, name: str, labels: dict[str, str]) -> float | None:
    """What a scrape tells, in which no series is there twice."""
    series = list(_series(gateway))
    assert len({each[:2] for each in series}) == len(series)
    found = [value for sample, of, value in series if (sample, dict(of)) == (name, labels)]
    return found[0] if found else None


def _series(gateway: GatewayProcess) -> Iterator[tuple[str, frozenset[tuple[str, str]], float]]:
    answer = gateway.get("/v1/metrics")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            yield sample.name, frozenset(sample.labels.items()), sample.value
