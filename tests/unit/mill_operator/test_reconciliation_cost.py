"""What a reconciliation computes, what it keeps of a MillDeployment afterwards, and for how long it holds the loop."""

import asyncio
import gc
import json
import tracemalloc
from collections import Counter
from time import thread_time
from typing import Any

import pytest

from mill_kube.errors import ApiError
from mill_kube.resources import DEPLOYMENTS, MILL_DEPLOYMENTS, PODS, REPLICA_SETS
from mill_objects.json import Json
from mill_operator.clock import SteadyClock
from mill_operator.core import limits
from mill_operator.core.objects.rendering import ParsedSpec
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment, project_mill_deployment
from mill_operator.cpu_time import CpuMeter, metered
from tests.support.apiserver import ApiServer
from tests.support.reconciling import (
    KEY,
    SERVICE,
    ReconcilerHarness,
    pod_body,
    replica_set_body,
    resource_body,
)


@pytest.fixture
def harness() -> ReconcilerHarness:
    return ReconcilerHarness(SteadyClock())


def resource_of(services: list[Json], *, version: int = 1, **metadata: Any) -> Json:
    return resource_body({"services": services}, resourceVersion=str(version), **metadata)


def large(services: int, variables: int = 400) -> list[Json]:
    env = {f"VARIABLE_{number}": "" for number in range(variables)}
    return [{"name": f"s-{number}", "image": "web:1", "env": env} for number in range(services)]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often specs are parsed, and hashes and objects made."""
    work: Counter[str] = Counter()
    desired, render, spec = ParsedSpec.desired, ParsedSpec.render, ObservedMillDeployment.spec.fget  # type: ignore[attr-defined]

    def counted(name: str, method: Any) -> Any:
        def count(*arguments: Any) -> Any:
            work[name] += 1
            return method(*arguments)

        return count

    monkeypatch.setattr(ParsedSpec, "desired", counted("hashes", desired))
    monkeypatch.setattr(ParsedSpec, "render", counted("objects", render))
    monkeypatch.setattr(ObservedMillDeployment, "spec", property(counted("specs", spec)))
    return work


# Only what is written is made


async def test_a_reconciliation_without_a_change_makes_nothing(harness: ReconcilerHarness, work: Counter[str]) -> None:
    harness.change()
    await harness.reconcile()
    assert work == {"specs": 2, "hashes": 1, "objects": 2}
    work.clear()
    harness.server.requests.clear()
    await harness.reconcile()
    assert (work, harness.server.requests) == (Counter(), [])


async def test_a_change_of_a_pod_makes_no_object(harness: ReconcilerHarness, work: Counter[str]) -> None:
    harness.change()
    await harness.reconcile()
    work.clear()
    (deployment,) = harness.server.all(DEPLOYMENTS)
    harness.observe(PODS, pod_body(deployment, reason="ImagePullBackOff"))
    await harness.reconcile()
    assert harness.service["state"] == "Failed"
    assert work == Counter()


async def test_a_change_of_one_service_makes_its_object_alone(harness: ReconcilerHarness, work: Counter[str]) -> None:
    services = [SERVICE | {"name": f"web-{number}"} for number in range(5)]
    harness.change(spec={"services": services})
    await harness.reconcile()
    work.clear()
    changed = [*services[:4], services[4] | {"image": "registry.example/web:2"}]
    harness.change(spec={"services": changed}, generation=2)
    await harness.reconcile()
    assert work == {"specs": 2, "hashes": 1, "objects": 1}


async def test_the_template_of_an_older_version_is_looked_up_once(
    harness: ReconcilerHarness, work: Counter[str]
) -> None:
    kept = {
        "metadata": {"labels": {"mill.dev/template": "good"}},
        "spec": {"containers": [{"name": "web", "image": "registry.example/web:0"}]},
    }
    resource = resource_body({"services": [SERVICE | {"volumes": [{"name": "data", "path": "/data", "size": "1Gi"}]}]})
    resource["status"] = {
        "observedGeneration": 0,
        "rollout": {"id": "0", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"},
        "services": [{"name": "web", "state": "Healthy", "template": "good", "healthyTemplate": "good"}],
    }
    harness.pods_fail("ErrImagePull")
    harness.observe(MILL_DEPLOYMENTS, resource)
    await harness.reconcile()
    harness.server.observers.clear()
    (deployment,) = harness.server.all(DEPLOYMENTS)
    labels = {"mill.dev/deployment": "mill", "mill.dev/service": "web", "mill.dev/template": "good"}
    harness.server.put(REPLICA_SETS, replica_set_body("good", kept, deployment["metadata"]["uid"], **labels))
    await harness.reconcile()
    (deployment,) = harness.server.all(DEPLOYMENTS)
    assert deployment["spec"]["template"]["spec"] == kept["spec"]
    work.clear()
    harness.server.requests.clear()
    await harness.reconcile()
    assert (work, harness.server.requests) == (Counter(), [])
    (memory,) = harness.reconciler._memory.values()
    assert "registry.example/web:0" not in repr(memory.rollback_hashes), "the template itself is not kept"


# What is kept


async def test_a_large_resource_takes_no_more_than_twice_its_size(harness: ReconcilerHarness) -> None:
    text = json.dumps(resource_of(large(50)))
    await harness.reconcile()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        harness.observe(MILL_DEPLOYMENTS, json.loads(text))
        await harness.reconcile()
        await harness.reconciler.flush()
        await harness.reconcile()
        assert len(harness.server.all(DEPLOYMENTS)) == 50
        harness.client.server = harness.server = ApiServer()  # its memory is not the operator's
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 2 * len(text)


async def test_a_written_status_is_kept_once_and_packed(harness: ReconcilerHarness) -> None:
    harness.change()
    await harness.reconcile()
    (memory,) = harness.reconciler._memory.values()
    assert memory.statuses.is_compact
    assert memory.status is memory.written
    assert memory.written.services[0].name == "web"


async def test_nothing_is_kept_of_a_resource_that_is_gone(harness: ReconcilerHarness) -> None:
    harness.change()
    await harness.reconcile()
    harness.lose(MILL_DEPLOYMENTS, KEY.name)
    await harness.reconcile()
    assert harness.reconciler._memory == {}


def test_the_spec_of_a_terminating_resource_is_not_kept() -> None:
    terminating = project_mill_deployment(resource_of(large(10), deletionTimestamp="2026-01-01T00:00:00Z"))
    assert (terminating.spec, terminating.status) == ({}, {})


def test_a_change_that_leaves_the_spec_does_not_pack_it_again() -> None:
    first = project_mill_deployment(resource_of(large(2)))
    assert project_mill_deployment(resource_of(large(2), version=2), first).packed_spec is first.packed_spec
    assert project_mill_deployment(resource_of(large(3), version=2, generation=2), first).spec == {"services": large(3)}
    assert project_mill_deployment(resource_of(large(3), version=2, uid="another"), first).spec == {
        "services": large(3)
    }


async def test_a_refusal_of_the_api_server_is_cut(harness: ReconcilerHarness) -> None:
    harness.server.add_fault("apply", error=ApiError(422, "Invalid", "no " * 100_000))
    harness.change()
    await harness.reconcile()
    (memory,) = harness.reconciler._memory.values()
    assert len(memory.writes.problems) == 2
    assert all(len(problem.message) < 3000 for problem, _ in memory.writes.problems.values())


# Restarts


def test_restarts_of_services_that_do_not_exist_are_not_kept() -> None:
    annotations = {f"restart.mill.dev/missing-{number}": "x" for number in range(1000)}
    observed = project_mill_deployment(resource_of([SERVICE], annotations=annotations | {"restart.mill.dev/web": "1"}))
    assert observed.restarts == {("web", "1")}


def test_restarts_of_services_that_do_not_exist_cause_no_reconciliation() -> None:
    before = project_mill_deployment(resource_of([SERVICE]))
    after = project_mill_deployment(resource_of([SERVICE], annotations={"restart.mill.dev/missing": "1"}))
    assert before.requests == after.requests


def test_a_long_value_of_a_restart_is_kept_as_its_hash() -> None:
    def value(text: str) -> str:
        ((_, value),) = project_mill_deployment(
            resource_of([SERVICE], annotations={"restart.mill.dev/web": text})
        ).restarts
        return value

    assert value("x" * limits.RESTART_LENGTH) == "x" * limits.RESTART_LENGTH
    assert len(value("x" * 100_000)) == 10
    assert value("x" * 100_000) != value("x" * 100_001)


# Specs that are refused


async def refusal_of(harness: ReconcilerHarness, services: list[Json]) -> str:
    harness.change(spec={"services": services})
    await harness.reconcile()
    assert harness.writes == []
    reason: str = harness.statuses[-1]["rollout"]["refused"]
    return reason


async def test_the_refusal_of_a_large_spec_names_the_setting(harness: ReconcilerHarness) -> None:
    reason = await refusal_of(harness, large(200, 400))
    assert f"this operator takes {limits.MAX_SPEC_BYTES:,} (its setting MILL_MAX_SPEC_BYTES)" in reason


async def test_the_number_and_the_length_of_reported_problems_are_limited(harness: ReconcilerHarness) -> None:
    env = {f"A{number}": "${no}" for number in range(500)}
    reason = await refusal_of(harness, [SERVICE | {"env": env}])
    assert reason.splitlines()[-1] == "and 450 more"
    assert len(reason.splitlines()) == limits.SPEC_PROBLEMS + 1
    long = {f"A{number}": "${no}" + "x" * 30_000 for number in range(5)}
    assert len(await refusal_of(harness, [SERVICE | {"env": long}])) < limits.SPEC_PROBLEMS_LENGTH + 100


async def test_a_refused_spec_is_not_parsed_again_for_a_restart(harness: ReconcilerHarness, work: Counter[str]) -> None:
    await refusal_of(harness, [SERVICE | {"env": {"A": "${no}"}}])
    work.clear()
    harness.change(annotations={"restart.mill.dev/web": "1"})
    await harness.reconcile()
    assert work == Counter()


# The event loop: other tasks get it at least every quarter of a second of its thread's time


async def measure(harness: ReconcilerHarness) -> tuple[float, float]:
    """Reconcile. Return for how long the loop's thread worked at most without a turn of others; and in all."""
    longest, done = 0.0, False

    async def others() -> None:
        nonlocal longest
        before = thread_time()
        while not done:
            await asyncio.sleep(0)
            longest = max(longest, thread_time() - before)
            before = thread_time()

    ticking = asyncio.create_task(others())
    await asyncio.sleep(0)
    meter = CpuMeter()
    gc.disable()  # most objects are those of the API server, which is in the operator's process only here
    try:
        await metered(harness.reconciler.reconcile(KEY), meter)
        done = True
        await ticking
    finally:
        gc.enable()
    return longest, meter.seconds


@pytest.mark.parametrize(
    "env",
    [{f"V{number}": "" for number in range(250)}, {"A": "${secret(a)}" * 200}, {"A": "x" * 2000}],
    ids=["many variables", "many references", "long texts"],
)
async def test_the_first_reconciliation_of_a_large_resource_gives_way(
    harness: ReconcilerHarness, env: dict[str, str]
) -> None:
    services = [{"name": f"s-{number}", "image": "web:1", "env": env} for number in range(200)]
    harness.change(spec={"services": services})
    longest, total = await measure(harness)
    assert len(harness.writes) == len(harness.server.all(DEPLOYMENTS)) == 200
    assert longest < 0.25
    assert longest < total / 2


async def test_a_reconciliation_of_very_many_pods_gives_way(harness: ReconcilerHarness) -> None:
    services = [SERVICE | {"name": f"web-{number}", "replicas": 10} for number in range(200)]
    harness.change(spec={"services": services})
    await harness.reconcile()
    for deployment in harness.server.all(DEPLOYMENTS):
        for number in range(10):
            name = f"{deployment['metadata']['name']}-{number}"
            harness.observe(PODS, pod_body(deployment, name=name, reason="ImagePullBackOff"))
    longest, total = await measure(harness)
    assert harness.statuses[-1]["services"][0]["state"] == "Failed"
    assert longest < 0.25
    assert longest < total / 2
