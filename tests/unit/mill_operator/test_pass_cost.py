"""What the operator keeps of a MillDeployment between passes, and what a pass does not do."""

import asyncio
import gc
import json
import tracemalloc
from collections import Counter
from time import thread_time
from typing import Any

import pytest

from mill_kube.errors import ApiError
from mill_operator.clock import SteadyClock
from mill_operator.core import limits
from mill_operator.core.objects.rendering import ParsedSpec
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment, project_mill_deployment
from mill_operator.cpu_time import CpuMeter, metered
from mill_operator.reconciler import Reconciler
from tests.support.reconciling import (
    KEY,
    SERVICE,
    RecordingServer,
    pod_body,
    reconciler_of,
    replica_set_body,
    resource_body,
    see_pod,
)


class CollectingServer(RecordingServer):
    """Gives each object a uid of its own, and answers as slowly as a real one: in a later turn of the event loop."""

    async def apply(self, resource: Any, namespace: str, body: dict[str, Any], *, manager: str) -> dict[str, Any]:
        answer = await super().apply(resource, namespace, body, manager=manager)
        await asyncio.sleep(0)
        answer["metadata"]["uid"] = f"{resource.kind}-{body['metadata']['name']}"
        return answer


@pytest.fixture
def server() -> CollectingServer:
    return CollectingServer()


@pytest.fixture
def reconciler(server: CollectingServer) -> Reconciler:
    return reconciler_of(server, SteadyClock())


def resource_of(services: list[dict[str, Any]], *, version: int = 1, **metadata: Any) -> dict[str, Any]:
    resource = resource_body()
    resource["spec"] = {"services": services}
    resource["metadata"] |= {"resourceVersion": str(version), **metadata}
    return resource


def large(services: int, variables: int = 400) -> list[dict[str, Any]]:
    env = {f"VARIABLE_{number}": "" for number in range(variables)}
    return [{"name": f"s-{number}", "image": "web:1", "env": env} for number in range(services)]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often specs were parsed, and hashes and objects made."""
    work: Counter[str] = Counter()
    desired, render, spec = ParsedSpec.desired, ParsedSpec.render, ObservedMillDeployment.spec.fget

    def counted(name: str, method: Any) -> Any:
        def count(*arguments: Any) -> Any:
            work[name] += 1
            return method(*arguments)

        return count

    monkeypatch.setattr(ParsedSpec, "desired", counted("hashes", desired))
    monkeypatch.setattr(ParsedSpec, "render", counted("objects", render))
    monkeypatch.setattr(ObservedMillDeployment, "spec", property(counted("specs", spec)))
    return work


class TestNothingIsMadeThatIsNotWritten:
    async def test_a_pass_that_writes_nothing(
        self, server: RecordingServer, reconciler: Reconciler, work: Counter[str]
    ) -> None:
        reconciler._caches.mill_deployments.put(resource_body())
        await reconciler.reconcile(KEY)
        assert work == {"specs": 2, "hashes": 1, "objects": 2}
        work.clear()
        calls = len(server.calls)
        await reconciler.reconcile(KEY)
        assert (work, len(server.calls)) == (Counter(), calls)

    async def test_a_pass_for_a_pod(self, server: RecordingServer, reconciler: Reconciler, work: Counter[str]) -> None:
        reconciler._caches.mill_deployments.put(resource_body())
        await reconciler.reconcile(KEY)
        work.clear()
        see_pod(reconciler, pod_body(server.applied["Deployment"], reason="ImagePullBackOff"))
        await reconciler.reconcile(KEY)
        assert server.statuses[-1]["services"][0]["state"] == "Failed"
        assert work == Counter()

    async def test_one_object_of_many(
        self, server: RecordingServer, reconciler: Reconciler, work: Counter[str]
    ) -> None:
        services = [SERVICE | {"name": f"web-{number}"} for number in range(5)]
        reconciler._caches.mill_deployments.put(resource_of(services))
        await reconciler.reconcile(KEY)
        work.clear()
        changed = [*services[:4], services[4] | {"image": "registry.example/web:2"}]
        reconciler._caches.mill_deployments.put(resource_of(changed, version=2, generation=2))
        await reconciler.reconcile(KEY)
        assert work == {"specs": 2, "hashes": 1, "objects": 1}

    async def test_a_version_that_is_held(
        self, server: RecordingServer, reconciler: Reconciler, work: Counter[str]
    ) -> None:
        """Nor is its template looked up again."""
        kept = {
            "metadata": {"labels": {"mill.dev/template": "good"}},
            "spec": {"containers": [{"name": "web", "image": "registry.example/web:0"}]},
        }
        server.replica_sets = [replica_set_body(kept, "Deployment-web")]
        service = SERVICE | {"volumes": [{"name": "data", "path": "/data", "size": "1Gi"}]}
        resource = resource_of([service])
        resource["status"] = {
            "observedGeneration": 0,
            "rollout": {"id": "0", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"},
            "services": [{"name": "web", "state": "Healthy", "template": "good", "healthyTemplate": "good"}],
        }
        server.on_apply = lambda body: (
            body["kind"] == "Deployment" and see_pod(reconciler, pod_body(body, reason="ErrImagePull"))
        )
        reconciler._caches.mill_deployments.put(resource)
        await reconciler.reconcile(KEY)
        server.on_apply = lambda _body: None
        await reconciler.reconcile(KEY)
        assert server.applied["Deployment"]["spec"]["template"]["spec"] == kept["spec"]
        work.clear()
        calls = len(server.calls)
        await reconciler.reconcile(KEY)
        assert (work, len(server.calls)) == (Counter(), calls)
        (memory,) = reconciler._memory.values()
        assert "registry.example/web:0" not in repr(memory.rollback_hashes), "the template itself is not kept"


class TestWhatIsKept:
    async def test_a_large_resource_takes_no_more_than_twice_its_size(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        resource = resource_of(large(50))
        text = json.dumps(resource)
        await reconciler.reconcile(KEY)
        server.on_apply = lambda _body: server.applied.clear()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            reconciler._caches.mill_deployments.put(json.loads(text))
            await reconciler.reconcile(KEY)
            await reconciler.flush()
            await reconciler.reconcile(KEY)
            server.statuses.clear()
            server.events.clear()
            server.applied.clear()
            gc.collect()
            kept = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert kept < 2 * len(text)

    async def test_a_status_that_is_written_is_kept_once_and_packed(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        reconciler._caches.mill_deployments.put(resource_body())
        await reconciler.reconcile(KEY)
        (memory,) = reconciler._memory.values()
        assert memory.statuses.is_compact
        assert memory.status is memory.written
        assert memory.written.services[0].name == "web"

    async def test_of_a_resource_that_is_gone_nothing_is(self, server: RecordingServer, reconciler: Reconciler) -> None:
        reconciler._caches.mill_deployments.put(resource_body())
        await reconciler.reconcile(KEY)
        reconciler._caches.mill_deployments._drop(KEY)
        await reconciler.reconcile(KEY)
        assert reconciler._memory == {}

    def test_of_one_that_is_going_its_spec_is_not(self) -> None:
        going = project_mill_deployment(resource_of(large(10), deletionTimestamp="2026-01-01T00:00:00Z"))
        assert (going.spec, going.status) == ({}, {})

    def test_a_change_that_leaves_the_spec_does_not_pack_it_again(self) -> None:
        first = project_mill_deployment(resource_of(large(2)))
        assert project_mill_deployment(resource_of(large(2), version=2), first).packed_spec is first.packed_spec
        assert project_mill_deployment(resource_of(large(3), version=2, generation=2), first).spec == {
            "services": large(3)
        }
        assert project_mill_deployment(resource_of(large(3), version=2, uid="another"), first).spec == {
            "services": large(3)
        }

    async def test_what_the_api_server_says_of_an_object_is_cut(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        def refuse_rollout(body: dict[str, Any]) -> None:
            raise ApiError(422, "Invalid", "no " * 100_000)

        server.on_apply = refuse_rollout
        reconciler._caches.mill_deployments.put(resource_body())
        await reconciler.reconcile(KEY)
        (memory,) = reconciler._memory.values()
        assert all(len(problem.message) < 3000 for problem, _ in memory.writes.problems.values())


class TestRestarts:
    def test_those_of_services_that_are_not_there_are_not_kept(self) -> None:
        annotations = {f"restart.mill.dev/nobody-{number}": "x" for number in range(1000)}
        seen = project_mill_deployment(resource_of([SERVICE], annotations=annotations | {"restart.mill.dev/web": "1"}))
        assert seen.restarts == {("web", "1")}

    def test_nor_do_they_make_a_pass(self) -> None:
        before = project_mill_deployment(resource_of([SERVICE]))
        after = project_mill_deployment(resource_of([SERVICE], annotations={"restart.mill.dev/nobody": "1"}))
        assert before.requests == after.requests

    def test_a_value_without_a_bound_is_its_hash(self) -> None:
        def value(text: str) -> str:
            ((_, value),) = project_mill_deployment(
                resource_of([SERVICE], annotations={"restart.mill.dev/web": text})
            ).restarts
            return value

        assert value("x" * limits.RESTART_LENGTH) == "x" * limits.RESTART_LENGTH
        assert len(value("x" * 100_000)) == 10
        assert value("x" * 100_000) != value("x" * 100_001)


class TestRefused:
    async def refused(self, server: RecordingServer, reconciler: Reconciler, services: list[dict[str, Any]]) -> str:
        reconciler._caches.mill_deployments.put(resource_of(services))
        await reconciler.reconcile(KEY)
        assert server.calls == []
        reason: str = server.statuses[-1]["rollout"]["refused"]
        return reason

    async def test_a_spec_that_is_too_large_names_the_setting(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        reason = await self.refused(server, reconciler, large(200, 400))
        assert f"this operator takes {limits.MAX_SPEC_BYTES:,} (its setting MILL_MAX_SPEC_BYTES)" in reason

    async def test_of_very_many_problems_some_are_told(self, server: RecordingServer, reconciler: Reconciler) -> None:
        env = {f"A{number}": "${no}" for number in range(500)}
        reason = await self.refused(server, reconciler, [SERVICE | {"env": env}])
        assert reason.splitlines()[-1] == "and 450 more"
        assert len(reason.splitlines()) == limits.SPEC_PROBLEMS + 1
        long = {f"A{number}": "${no}" + "x" * 30_000 for number in range(5)}
        assert (
            len(await self.refused(server, reconciler, [SERVICE | {"env": long}])) < limits.SPEC_PROBLEMS_LENGTH + 100
        )

    async def test_it_is_not_looked_at_again_for_a_restart(
        self, server: RecordingServer, reconciler: Reconciler, work: Counter[str]
    ) -> None:
        bad = [SERVICE | {"env": {"A": "${no}"}}]
        await self.refused(server, reconciler, bad)
        work.clear()
        reconciler._caches.mill_deployments.put(resource_of(bad, version=2, annotations={"restart.mill.dev/web": "1"}))
        await reconciler.reconcile(KEY)
        assert work == Counter()


class TestTheEventLoop:
    """Others have it at least every quarter of a second of its thread's time, whatever a pass has to do."""

    async def longest(self, reconciler: Reconciler) -> tuple[float, float]:
        """Make a pass. Return for how long the loop's thread worked at most without a turn of others; and in all."""
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
        await metered(reconciler.reconcile(KEY), meter)
        done = True
        await ticking
        return longest, meter.seconds

    @pytest.mark.parametrize(
        "env",
        [{f"V{number}": "" for number in range(250)}, {"A": "${secret(a)}" * 200}, {"A": "x" * 2000}],
        ids=["many variables", "many references", "long texts"],
    )
    async def test_a_first_pass(self, server: RecordingServer, reconciler: Reconciler, env: dict[str, str]) -> None:
        services = [{"name": f"s-{number}", "image": "web:1", "env": env} for number in range(200)]
        reconciler._caches.mill_deployments.put(resource_of(services))
        longest, total = await self.longest(reconciler)
        assert len(server.calls) == 200
        assert longest < 0.25
        assert longest < total / 2

    async def test_a_pass_of_very_many_pods(self, server: RecordingServer, reconciler: Reconciler) -> None:
        templates: list[dict[str, Any]] = []
        server.on_apply = lambda body: templates.append(body) if body["kind"] == "Deployment" else None
        services = [SERVICE | {"name": f"web-{number}", "replicas": 10} for number in range(200)]
        reconciler._caches.mill_deployments.put(resource_of(services))
        await reconciler.reconcile(KEY)
        for body in templates:
            for number in range(10):
                name = f"{body['metadata']['name']}-{number}"
                see_pod(reconciler, pod_body(body, name=name, reason="ImagePullBackOff"))
        longest, total = await self.longest(reconciler)
        assert server.statuses[-1]["services"][0]["state"] == "Failed"
        assert longest < 0.25
        assert longest < total / 2
