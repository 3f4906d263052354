"""Metrics of the gateway."""

import asyncio
import time
from typing import Any

import pytest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from mill_kube.errors import NotFound
from mill_kube.resources import POD_METRICS
from tests.support.gateway.objects import job, labels, mill_deployment, node, pod
from tests.support.gateway.served import Serve, Served

USAGE = {
    "metadata": {"name": "web-0", "namespace": "default", "labels": labels("web", "service")},
    "containers": [{"usage": {"cpu": "250m", "memory": "64Mi"}}, {"usage": {"cpu": "1", "memory": "1Mi"}}],
}
DONE = {
    "startTime": "2026-02-14T10:00:00Z",
    "completionTime": "2026-02-14T10:00:07Z",
    "conditions": [{"type": "Complete", "status": "True"}],
}


async def _samples(served: Served) -> dict[tuple[str, ...], float]:
    """Return the samples by name, and by the values of their labels in alphabetical order of the labels."""
    answer = await served.http.get("/v1/metrics")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    samples = [
        ((sample.name, *(value for _, value in sorted(sample.labels.items()))), sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    ]
    assert len(dict(samples)) == len(samples), "Prometheus drops a series that is there twice"
    return dict(samples)


async def test_nodes_and_replicas_as_in_the_original(serve: Serve) -> None:
    async with serve(node("a", cpu="4"), pod("web", node="a"), pod("web", "1", node="a", restarts=3)) as served:
        served.api.put(POD_METRICS, USAGE)
        samples = await _samples(served)
        assert samples["mill_node_cpu_available", "a"] == 3.0
        assert samples["mill_node_memory_available_bytes", "a"] == 8 * 2**30 - 2 * 512000000
        assert samples["mill_alloc_cpu_usage", "web-0", "default", "a", "web"] == 1.25
        assert samples["mill_alloc_memory_bytes", "web-0", "default", "a", "web"] == 65 * 2**20
        assert samples["mill_alloc_restarts_total", "web-1", "default", "a", "web"] == 3
        (asked,) = served.api.requests
        assert asked.resource.group == "metrics.k8s.io"


async def test_a_missing_metrics_server_is_asked_rarely(serve: Serve) -> None:
    async with serve(pod("web")) as served:
        served.api.add_fault("list", POD_METRICS, error=NotFound(404, "NotFound", ""))
        for _ in range(3):
            samples = await _samples(served)
            assert not any(name.startswith("mill_alloc_cpu") for name, *_ in samples)
        assert len(served.api.requests) == 1


async def test_streams_continue_while_many_metrics_are_written(serve: Serve) -> None:
    class Slow(Collector):
        def collect(self) -> list[Metric]:
            time.sleep(0.2)
            return []

    async with serve() as served:
        served.gateway.metrics.registry.register(Slow())
        begun, asked = time.monotonic(), asyncio.ensure_future(served.http.get("/v1/metrics"))
        rounds = 0
        while not asked.done():
            await asyncio.sleep(0.01)
            rounds += 1
        assert time.monotonic() - begun >= 0.2
        assert rounds >= 5


async def test_metrics_do_not_wait_for_a_hanging_metrics_server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mill_gateway.metrics.USAGE_SECONDS", 0.01)
    async with serve(node("a", cpu="4"), pod("web")) as served:
        served.api.add_fault("list", POD_METRICS, delay_seconds=20)
        async with asyncio.timeout(5):
            for _ in range(2):
                assert (await _samples(served))["mill_node_cpu_available", "a"] == 4.0
        assert len(served.api.requests) == 1


async def test_runs_of_all_gateways_are_counted_but_none_from_before_the_start(serve: Serve) -> None:
    async with serve() as served:
        jobs = served.gateway.stores.jobs.reflector
        jobs.synced.clear()
        served.have(job("old-1", "old"))
        jobs.synced.set()
        served.have(job("migrate-1", "migrate"), job("migrate-2", "migrate"), job("task-0123abcd-1", "task-0123abcd"))
        served.have(job("migrate-1", "migrate", status=DONE), job("old-1", "old", status=DONE))
        served.have(job("migrate-1", "migrate", status=DONE))
        samples = await _samples(served)
        assert samples["mill_tasks_spawned_total", "migrate"] == 2
        assert samples["mill_tasks_spawned_total", "inline"] == 1
        assert ("mill_tasks_spawned_total", "old") not in samples
        assert samples["mill_tasks_duration_seconds_count", "migrate"] == 1
        assert samples["mill_tasks_duration_seconds_sum", "migrate"] == 7.0
        assert samples["mill_tasks_duration_seconds_bucket", "5.0", "migrate"] == 0
        assert samples["mill_tasks_duration_seconds_bucket", "30.0", "migrate"] == 1


async def test_a_run_that_is_known_from_the_answer_to_its_spawn_is_counted_once(serve: Serve) -> None:
    made = job("migrate-1", "migrate")
    async with serve() as served:
        served.gateway.stores.jobs.put(made)
        served.gateway.stores.jobs.put(made)
        served.have(made, job("migrate-1", "migrate", status={"active": 1}))
        assert (await _samples(served))["mill_tasks_spawned_total", "migrate"] == 1


async def test_a_run_whose_spawn_is_answered_after_the_watch_is_counted_once(serve: Serve) -> None:
    made = job("migrate-1", "migrate")
    async with serve() as served:
        served.have(made)
        served.gateway.stores.jobs.put(made)
        assert (await _samples(served))["mill_tasks_spawned_total", "migrate"] == 1


async def test_requests_are_counted_by_route_and_not_by_path(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        for path in ("/v1/deployments/mill", "/v1/deployments/other", "/v1/nowhere", "/v1/elsewhere"):
            await served.http.get(path)
        samples = await _samples(served)
        assert samples["mill_gateway_requests_total", "200", "GET", "/v1/deployments/{name}"] == 1
        assert samples["mill_gateway_requests_total", "404", "GET", "/v1/deployments/{name}"] == 1
        assert samples["mill_gateway_requests_total", "404", "GET", "none"] == 2
        assert not any("nowhere" in part for name in samples for part in name)


async def test_unknown_methods_have_one_label(serve: Serve) -> None:
    async with serve() as served:
        for method in ("GETS", "X-1", "X-2"):
            await served.http.request(method, "/v1/services")
        samples = await _samples(served)
        assert samples["mill_gateway_requests_total", "405", "other", "/v1/services"] == 3
        assert not any("X-1" in name for name in samples)


async def test_the_head_of_an_answer_is_counted_by_its_route_as_well(serve: Serve) -> None:
    async with serve() as served:
        await served.http.head("/v1/services")
        assert (await _samples(served))["mill_gateway_requests_total", "200", "HEAD", "/v1/services"] == 1


async def test_streams_are_counted_while_they_are_open(serve: Serve) -> None:
    finished: dict[str, Any] = {
        "rollout": {
            "id": "1",
            "startedAt": "2026-01-01T00:00:00.000Z",
            "finishedAt": "2026-01-01T00:00:01.000Z",
            "success": True,
        }
    }
    async with serve(mill_deployment(status=finished)) as served:
        await served.http.get("/v1/deployments/mill/events")
        assert (await _samples(served))["mill_gateway_streams", "rollout"] == 0
