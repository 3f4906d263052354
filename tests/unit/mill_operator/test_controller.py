"""The control loop: who leads works, who waits does not, and who stops leaves nothing half done."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import aiohttp
import pytest

from mill_kube.client import KubeClient
from mill_kube.errors import NotFound, Unreachable
from mill_kube.reflector import Reflector
from mill_kube.resources import MILL_DEPLOYMENTS, SERVICES, Resource
from mill_objects.key import Key
from mill_operator.controller import STOP_WORKERS_SECONDS, Controller, ControllerOptions
from mill_operator.cpu_budget import BURST_SECONDS
from mill_operator.cpu_time import charge
from mill_operator.endpoints import serve
from mill_operator.leader_election import LeaderElection
from mill_operator.metrics import Metrics
from tests.unit.virtual_time import now, virtual_time

KEY = Key("default", "mill")


class Server:
    """Has one MillDeployment, of one service without a pod. Its watches say nothing."""

    server_ahead = timedelta(0)

    def __init__(self) -> None:
        self.version = 10
        self.resource: dict[str, Any] = {
            "metadata": {
                "name": KEY.name,
                "namespace": KEY.namespace,
                "uid": "uid",
                "resourceVersion": "10",
                "creationTimestamp": "2026-01-31T12:00:00Z",
                "generation": 1,
            },
            "spec": {"services": [{"name": "web", "image": "web:1"}]},
        }
        self.others: list[dict[str, Any]] = []
        self.lists: list[str] = []
        self.writes: list[str] = []
        self.statuses: list[dict[str, Any]] = []
        self.kubernetes = {"major": "1", "minor": "35"}
        self.held = asyncio.Event()
        """Applies wait for it."""
        self.held.set()
        self.refuses = 0
        """How many applies fail."""
        self.written = asyncio.Event()
        """Set by the first status."""

    async def server_version(self) -> dict[str, str]:
        return self.kubernetes

    async def list(self, resource: Resource, *_: Any, **__: Any) -> dict[str, Any]:
        self.lists.append(resource.plural)
        items = [*self.others, self.resource] if resource is MILL_DEPLOYMENTS else []
        return {"items": items, "metadata": {"resourceVersion": str(self.version)}}

    async def watch(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}

    async def create(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {}

    async def get(self, resource: Resource, *_: Any) -> dict[str, Any]:
        if resource is MILL_DEPLOYMENTS:
            return self.resource
        raise NotFound(404, "NotFound", "not found")

    async def apply(self, resource: Resource, _namespace: str, body: dict[str, Any], *, manager: str) -> dict[str, Any]:
        self.writes.append(f"begin {resource.plural}")
        if self.refuses:
            self.refuses -= 1
            raise Unreachable("nobody answers")
        await self.held.wait()
        self.writes.append(f"end {resource.plural}")
        meta = {
            **body["metadata"],
            "uid": resource.kind,
            "resourceVersion": "11",
            "creationTimestamp": "2026-01-31T12:00:01Z",
            "generation": 1,
        }
        return {**body, "metadata": meta}

    async def replace_status(self, _resource: Resource, *_key: Any, **_: Any) -> dict[str, Any]:
        self.statuses.append(_key[-1])
        self.writes.append("status")
        self.written.set()
        return {}


class PlayedElection:
    """An election whose result the test decides."""

    def __init__(self, server: Server) -> None:
        self.elected = asyncio.Event()
        self.left = False
        self._server = server
        self._over = asyncio.Event()

    async def run(self) -> None:
        await self._over.wait()

    def lose(self) -> None:
        self._over.set()

    def leave(self) -> None:
        self.left = True
        self._server.writes.append("release")
        self._over.set()


class Operator:
    """A controller, and what became of it."""

    def __init__(self, server: Server, election: PlayedElection | None = None) -> None:
        self.reasons: list[str] = []
        self.metrics = Metrics()
        self.controller = Controller(
            cast("KubeClient", server),
            ControllerOptions(workers=2, cpu_share=0.25),
            metrics=self.metrics,
            give_up=self.reasons.append,
            election=cast("LeaderElection", election),
        )
        if election is None:
            self.controller.start()
        else:
            election.reflector = self.controller.caches.mill_deployments  # type: ignore[attr-defined]
            self.controller.start()

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"mill_operator_{name}", labels)


@pytest.fixture
def server() -> Server:
    return Server()


@virtual_time
async def test_alone_it_works_as_soon_as_it_knows_everything(server: Server) -> None:
    operator = Operator(server)
    await asyncio.sleep(1)
    assert server.writes == ["begin deployments", "end deployments", "status"]
    assert operator.metric("leader") == 1
    assert operator.metric("reconciles_total", result="success") == 1
    assert operator.metric("status_writes_total") == 1
    await operator.controller.stop()
    assert operator.reasons == []


@virtual_time
async def test_a_generation_that_another_watch_reports_first_is_reconciled_at_once(server: Server) -> None:
    operator = Operator(server)
    await asyncio.sleep(1)
    body = server.resource
    newer = {**body["metadata"], "generation": 2, "resourceVersion": "12"}
    server.resource = {"metadata": newer, "spec": {"services": [{"name": "web", "image": "web:2"}]}}
    server.writes.clear()
    operator.controller.put(server.resource)
    await asyncio.sleep(1)
    assert server.writes == ["begin deployments", "end deployments", "status"]
    assert server.statuses[-1]["observedGeneration"] == 2
    await operator.controller.stop()


@virtual_time
async def test_what_another_watch_reports_late_or_of_a_status_or_cannot_be_read_changes_nothing(
    server: Server,
) -> None:
    operator = Operator(server)
    await asyncio.sleep(1)
    server.writes.clear()
    known = operator.controller.caches.mill_deployments.get(KEY)
    meta = server.resource["metadata"]
    operator.controller.put({**server.resource, "metadata": {**meta, "generation": 0, "resourceVersion": "9"}})
    operator.controller.put({**server.resource, "metadata": {**meta, "resourceVersion": "12"}, "status": {"x": 1}})
    operator.controller.put({"metadata": {**meta, "name": "deleted meanwhile", "resourceVersion": "9"}})
    operator.controller.put({"metadata": {"generation": "no"}})
    await asyncio.sleep(1)
    assert operator.controller.caches.mill_deployments.get(KEY) is known
    assert list(operator.controller.caches.mill_deployments.all()) == [known]
    assert server.writes == []
    await operator.controller.stop()


@virtual_time
async def test_it_does_not_begin_on_a_cluster_that_is_too_old(server: Server) -> None:
    server.kubernetes = {"major": "1", "minor": "30"}
    operator = Operator(server)
    await asyncio.sleep(60)
    assert operator.reasons == ["this is Kubernetes 1.30; mill needs 1.31 or later"]
    assert server.writes == []
    await operator.controller.stop()


@virtual_time
async def test_who_waits_for_its_turn_watches_and_writes_nothing(server: Server) -> None:
    operator = Operator(server, PlayedElection(server))
    await asyncio.sleep(600)
    assert all(each.synced.is_set() for each in operator.controller.watches)
    operator.controller.wake(KEY)
    await asyncio.sleep(600)
    assert server.writes == []
    assert (operator.metric("leader"), operator.metric("queue_depth")) == (0, 0)
    await operator.controller.stop()
    assert server.writes == ["release"]


@virtual_time
async def test_who_takes_over_goes_on_from_what_is_stored_now(server: Server) -> None:
    """Also if its watches have not told it yet what the leader before it wrote last."""
    election = PlayedElection(server)
    operator = Operator(server, election)
    await asyncio.sleep(1)
    transitions = [{"seq": 1, "at": "2026-01-31T12:00:00.000Z", "phase": "failed", "message": "as it was"}]
    server.version = 20
    server.resource = {
        **server.resource,
        "metadata": {**server.resource["metadata"], "resourceVersion": "20"},
        "status": {
            "observedGeneration": 1,
            "rollout": {"id": "1", "startedAt": "2026-01-31T12:00:00.000Z"},
            "services": [{"name": "web", "state": "Pending", "transitions": transitions}],
        },
    }
    server.lists.clear()
    election.elected.set()
    await asyncio.sleep(1)
    assert sorted(server.lists) == sorted(each.resource.plural for each in operator.controller.caches.reflectors)
    assert operator.metric("leader") == 1
    assert server.statuses[0]["services"][0]["transitions"][0]["message"] == "as it was"
    await operator.controller.stop()


@virtual_time
async def test_a_stop_lets_a_pass_finish_and_releases_the_lease_last(server: Server) -> None:
    election = PlayedElection(server)
    election.elected.set()
    server.held.clear()
    operator = Operator(server, election)
    await asyncio.sleep(1)
    assert server.writes == ["begin deployments"]
    stopping = asyncio.create_task(operator.controller.stop())
    await asyncio.sleep(1)
    server.held.set()
    await stopping
    assert server.writes == ["begin deployments", "end deployments", "status", "release"]
    assert operator.reasons == []


@virtual_time
async def test_a_stop_does_not_wait_for_ever(server: Server) -> None:
    server.held.clear()
    operator = Operator(server)
    await asyncio.sleep(1)
    began = now()
    await operator.controller.stop()
    assert now() - began == STOP_WORKERS_SECONDS
    assert server.writes == ["begin deployments"]


@virtual_time
async def test_who_loses_the_lease_stops_in_the_middle_and_gives_up(server: Server) -> None:
    election = PlayedElection(server)
    election.elected.set()
    server.held.clear()
    operator = Operator(server, election)
    await asyncio.sleep(1)
    election.lose()
    await asyncio.sleep(0)
    assert operator.metric("leader") == 0
    server.held.set()
    await asyncio.sleep(1)
    assert server.writes == ["begin deployments"]
    assert operator.reasons == ["the lease was not renewed in time"]
    await operator.controller.stop()


async def test_a_pass_that_fails_is_made_again(server: Server) -> None:
    server.refuses = 2
    operator = Operator(server)
    async with asyncio.timeout(5):
        await server.written.wait()
    await operator.controller.stop()
    assert server.writes.count("begin deployments") == 3
    assert operator.metric("retries_total") == 2
    assert operator.metric("reconciles_total", result="api_error") == 2
    assert operator.metric("reconciles_total", result="success") == 1


@virtual_time
async def test_a_resource_that_cannot_be_read_is_left_out_and_the_others_go_on(server: Server) -> None:
    unnamed = {**server.resource, "metadata": {**server.resource["metadata"], "name": "odd", "uid": None}}
    server.others.append(unnamed)
    operator = Operator(server)
    await asyncio.sleep(1)
    assert operator.reasons == []
    assert server.writes == ["begin deployments", "end deployments", "status"]
    assert operator.metric("watch_unreadable_objects", resource="milldeployments.mill.dev") == 1
    await operator.controller.stop()


@virtual_time
@pytest.mark.parametrize("end", [TypeError("a fault of ours"), None], ids=["by an error", "by returning"])
async def test_a_watch_that_ends_ends_the_process(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, end: Exception | None
) -> None:
    async def run(reflector: Reflector[Any]) -> None:
        if reflector.resource is not SERVICES:
            await asyncio.Event().wait()
        if end is not None:
            raise end

    monkeypatch.setattr(Reflector, "run", run)
    operator = Operator(server)
    await asyncio.sleep(1)
    assert operator.reasons == ["the watch of services has ended"]
    assert [each.levelname for each in caplog.records] == ["ERROR"]
    await operator.controller.stop()
    assert len(operator.reasons) == 1


class TestOneThatChangesAllTheTime:
    """Its passes are made in its share of the CPU, and those of others as ever."""

    OTHER = Key("other", "mill")

    @virtual_time
    async def test_it_rests_and_others_do_not(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        operator = Operator(server)
        await asyncio.sleep(1)
        passes: dict[Key, list[float]] = {KEY: [], self.OTHER: []}

        async def reconcile(key: Key) -> None:
            passes[key].append(now())
            if key == KEY:
                charge(1.0)

        monkeypatch.setattr(operator.controller._reconciler, "reconcile", reconcile)
        began = now()
        for _ in range(1000):
            operator.controller.wake(KEY)
            operator.controller.wake(self.OTHER)
            await asyncio.sleep(0.1)
        assert BURST_SECONDS <= len(passes[KEY]) <= BURST_SECONDS + 100 * 0.25 + 1, "a second each"
        assert [at - began for at in passes[KEY]][:5] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
        assert len(passes[self.OTHER]) == 1000
        assert operator.metric("rests_total") == pytest.approx(len(passes[KEY]) - BURST_SECONDS, abs=1)
        seen = len(passes[KEY])
        await asyncio.sleep(60)
        assert len(passes[KEY]) == seen + 1, "what it changed last is seen"
        await operator.controller.stop()

    async def test_probes_and_others_are_served_meanwhile(self, server: Server) -> None:
        """200 services of 250 variables, of which another one is restarted all the time."""
        env = {f"V{number}": "" for number in range(250)}
        hog = {**server.resource, "metadata": {**server.resource["metadata"], "name": "hog"}}
        hog["spec"] = {"services": [{"name": f"s-{number}", "image": "web:1", "env": env} for number in range(200)]}
        operator = Operator(server)
        await server.written.wait()
        parents, controller = operator.controller.caches.mill_deployments, operator.controller
        listening = socket.create_server(("127.0.0.1", 0))
        runner = await serve(listening, controller.watches, operator.metrics, deadline=180)
        longest, answers = 0.0, 0
        async with aiohttp.ClientSession() as client, asyncio.timeout(60):
            end = time.monotonic() + 2
            while time.monotonic() < end:
                annotations = {f"restart.mill.dev/s-{answers % 200}": str(answers)}
                meta = {**hog["metadata"], "resourceVersion": str(100 + answers), "annotations": annotations}
                parents.put({**hog, "metadata": meta})
                controller.wake(Key(KEY.namespace, "hog"))
                asked = time.monotonic()
                async with client.get(f"http://127.0.0.1:{listening.getsockname()[1]}/healthz") as answer:
                    assert answer.status == 200
                longest = max(longest, time.monotonic() - asked)
                answers += 1
                await asyncio.sleep(0.02)
        await runner.cleanup()
        await controller.stop()
        assert server.writes.count("end deployments") >= 200
        assert longest < 2, "the chart's probe waits for 5 s"
        assert operator.reasons == []
