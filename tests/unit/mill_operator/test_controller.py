"""The control loop: only the leader reconciles, and a stop leaves nothing half done."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from mill_api import names
from mill_kube.calls import READS
from mill_kube.connection import Request
from mill_kube.errors import Unreachable
from mill_kube.reflector import Reflector
from mill_kube.resources import DEPLOYMENTS, EVENTS, LEASES, MILL_DEPLOYMENTS, SERVICES
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.controller import STOP_WORKERS_SECONDS, Controller, ControllerOptions
from mill_operator.core.leader_election import LeaseTiming
from mill_operator.cpu_budget import BURST_SECONDS
from mill_operator.cpu_time import charge
from mill_operator.endpoints import serve
from mill_operator.leader_election import LeaderElection
from mill_operator.metrics import Metrics
from mill_operator.reconciler import ReconcilerOptions
from tests.support.apiserver import ApiServer, InMemoryClient, action_of
from tests.support.reconciling import KEY, child_writes, created_events, resource_body, written_statuses
from tests.unit.virtual_time import now, virtual_time

NAMESPACE = "mill-system"
SPEC = {"services": [{"name": "web", "image": "web:1"}]}
ROLLED_OUT = ["apply deployments", "status"]


def election_of(server: ApiServer, identity: str) -> LeaderElection:
    return LeaderElection(InMemoryClient(server), NAMESPACE, LeaseTiming.of(15), identity=identity, monotonic=now)


@asynccontextmanager
async def other_leader(server: ApiServer) -> AsyncIterator[LeaderElection]:
    """Have another replica lead."""
    election = election_of(server, "other")
    running = asyncio.create_task(election.run())
    await election.elected.wait()
    try:
        yield election
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Operator:
    """A controller, and the reasons for which it gave up."""

    def __init__(self, server: ApiServer, *, elects: bool = False) -> None:
        self.reasons: list[str] = []
        self.metrics = Metrics()
        self.controller = Controller(
            InMemoryClient(server),
            ControllerOptions(workers=2, cpu_share=0.25, reconciler=ReconcilerOptions(keeps_revisions=False)),
            metrics=self.metrics,
            give_up=self.reasons.append,
            election=election_of(server, "me") if elects else None,
        )
        self.controller.start()

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"mill_operator_{name}", labels)


def finished_writes(server: ApiServer) -> list[str]:
    """Return the writes that have taken effect, other than those of Events and of the Lease."""
    return [
        each.subresource or f"{action_of(each)} {each.resource.plural}"
        for each, _ in server.answers
        if each.verb not in READS and each.resource not in (EVENTS, LEASES)
    ]


def holder(server: ApiServer) -> str:
    (lease,) = server.all(LEASES)
    return str(lease["spec"]["holderIdentity"])


def change(server: ApiServer, **fields: Any) -> Json:
    """Change the MillDeployment. Return it as it is stored."""
    (body,) = server.all(MILL_DEPLOYMENTS)
    return server.put(MILL_DEPLOYMENTS, {**body, **fields})


async def silence_watches_of_mill_deployments(server: ApiServer) -> None:
    """Let these watches send nothing, also after a reconnect."""
    server.add_fault("watch", MILL_DEPLOYMENTS, hold=asyncio.Event())
    server.end_watches()
    await asyncio.sleep(1)


@pytest.fixture
def server() -> ApiServer:
    """Return an API server with one MillDeployment, of one service without a pod."""
    server = ApiServer()
    server.put(MILL_DEPLOYMENTS, resource_body(SPEC))
    return server


@virtual_time
async def test_without_election_it_reconciles_as_soon_as_its_caches_are_synced(server: ApiServer) -> None:
    operator = Operator(server)
    await asyncio.sleep(1)
    assert finished_writes(server) == ROLLED_OUT
    assert operator.metric("leader") == 1
    assert operator.metric("reconciles_total", result="success") == 2, "the second for the event of the Deployment"
    assert operator.metric("status_writes_total") == 1
    await operator.controller.stop()
    assert operator.reasons == []


@virtual_time
async def test_a_generation_that_another_watch_reports_first_is_reconciled_at_once(server: ApiServer) -> None:
    operator = Operator(server)
    await silence_watches_of_mill_deployments(server)
    server.answers.clear()
    (body,) = server.all(MILL_DEPLOYMENTS)
    newer = {"metadata": {**body["metadata"], "generation": 2}, "spec": {"services": [{"name": "web", "image": "w:2"}]}}
    operator.controller.put(change(server, **newer))
    await asyncio.sleep(1)
    assert finished_writes(server) == ROLLED_OUT
    assert written_statuses(server)[-1]["observedGeneration"] == 2
    await operator.controller.stop()


@virtual_time
async def test_a_late_or_unreadable_event_of_another_watch_changes_nothing(server: ApiServer) -> None:
    """Nor does one of a status, which is not read twice."""
    operator = Operator(server)
    await silence_watches_of_mill_deployments(server)
    server.answers.clear()
    known = operator.controller.caches.mill_deployments.get(KEY)
    assert known is not None
    (body,) = server.all(MILL_DEPLOYMENTS)
    older, meta = str(int(known.resource_version) - 1), body["metadata"]
    operator.controller.put({**body, "metadata": {**meta, "generation": 0, "resourceVersion": older}})
    operator.controller.put(change(server, status={"x": 1}))
    operator.controller.put({"metadata": {**meta, "name": "deleted meanwhile", "resourceVersion": older}})
    operator.controller.put({"metadata": {"generation": "no"}})
    await asyncio.sleep(1)
    assert operator.controller.caches.mill_deployments.get(KEY) is known
    assert list(operator.controller.caches.mill_deployments.all()) == [known]
    assert finished_writes(server) == []
    await operator.controller.stop()


@virtual_time
async def test_it_does_not_start_on_a_cluster_that_is_too_old(server: ApiServer) -> None:
    server.kubernetes = {"major": "1", "minor": "30"}
    operator = Operator(server)
    await asyncio.sleep(60)
    assert operator.reasons == ["this is Kubernetes 1.30; mill needs 1.31 or later"]
    assert child_writes(server) == []
    await operator.controller.stop()


@virtual_time
async def test_a_candidate_keeps_its_caches_synced_and_writes_nothing(server: ApiServer) -> None:
    async with other_leader(server):
        operator = Operator(server, elects=True)
        await asyncio.sleep(600)
        assert all(each.synced.is_set() for each in operator.controller.watches)
        operator.controller.wake(KEY)
        await asyncio.sleep(600)
        assert (operator.metric("leader"), operator.metric("queue_depth")) == (0, 0)
        await operator.controller.stop()
        assert (finished_writes(server), child_writes(server), server.all(EVENTS)) == ([], [], [])
        assert holder(server) == "other"


@virtual_time
async def test_a_new_leader_starts_from_what_is_stored_now(server: ApiServer) -> None:
    """Also if its watches have not reported yet what the previous leader wrote last."""
    async with other_leader(server) as other:
        operator = Operator(server, elects=True)
        await asyncio.sleep(1)
        await silence_watches_of_mill_deployments(server)
        transitions = [{"seq": 1, "at": "2026-01-31T12:00:00.000Z", "phase": "failed", "message": "of the previous"}]
        status = {
            "observedGeneration": 1,
            "rollout": {"id": "1", "startedAt": "2026-01-31T12:00:00.000Z"},
            "services": [{"name": "web", "state": "Pending", "transitions": transitions}],
        }
        stored = change(server, status=status)
        await asyncio.sleep(1)
        known = operator.controller.caches.mill_deployments.get(KEY)
        assert known is not None
        assert known.resource_version != stored["metadata"]["resourceVersion"]
        server.requests.clear()
        other.leave()
        await asyncio.sleep(1)
    lists = sorted(each.resource.plural for each in server.sent("list"))
    assert lists == sorted(each.resource.plural for each in operator.controller.caches.reflectors)
    assert operator.metric("leader") == 1
    assert written_statuses(server)[0]["services"][0]["transitions"][0]["message"] == "of the previous"
    await operator.controller.stop()


@virtual_time
async def test_a_stop_lets_a_reconciliation_finish_and_releases_the_lease_last(server: ApiServer) -> None:
    hold = asyncio.Event()
    server.add_fault("apply", hold=hold)
    server.add_fault("create", EVENTS, delay_seconds=1)
    operator = Operator(server, elects=True)
    await asyncio.sleep(1)
    assert (child_writes(server), finished_writes(server)) == ([("apply", "Deployment web")], [])
    stopping = asyncio.create_task(operator.controller.stop())
    await asyncio.sleep(1)
    assert holder(server) == "me"
    hold.set()
    await stopping
    assert finished_writes(server) == ROLLED_OUT
    assert [each["reason"] for each in created_events(server)] == ["RolloutStarted"]
    assert server.answers[-1][0].resource == LEASES, "Events come before the release"
    assert holder(server) == ""
    assert operator.reasons == []


@virtual_time
async def test_a_stop_waits_for_a_limited_time(server: ApiServer) -> None:
    server.add_fault("apply", hold=asyncio.Event())
    operator = Operator(server)
    await asyncio.sleep(1)
    stopped_at = now()
    await operator.controller.stop()
    assert now() - stopped_at == STOP_WORKERS_SECONDS
    assert (child_writes(server), finished_writes(server)) == ([("apply", "Deployment web")], [])


@virtual_time
async def test_a_leader_that_loses_the_lease_cancels_its_reconciliations_and_gives_up(server: ApiServer) -> None:
    hold = asyncio.Event()
    server.add_fault("apply", hold=hold)
    operator = Operator(server, elects=True)
    await asyncio.sleep(1)
    assert operator.metric("leader") == 1
    taken = {"spec": {"holderIdentity": "kubectl"}}
    await InMemoryClient(server).merge_patch(LEASES, NAMESPACE, names.LEASE_NAME, taken, manager="kubectl")
    await asyncio.sleep(0.001)
    assert operator.metric("leader") == 0
    hold.set()
    await asyncio.sleep(1)
    assert (child_writes(server), finished_writes(server)) == ([("apply", "Deployment web")], [])
    assert operator.reasons == ["the lease was not renewed in time"]
    await operator.controller.stop()
    assert holder(server) == "kubectl"


async def test_a_reconciliation_that_fails_is_repeated(server: ApiServer) -> None:
    server.add_fault("apply", DEPLOYMENTS, times=2, error=Unreachable("connection refused"))
    operator = Operator(server)
    await first_status(server)
    await operator.controller.stop()
    assert child_writes(server) == [("apply", "Deployment web")] * 3
    assert operator.metric("retries_total") == 2
    assert operator.metric("reconciles_total", result="api_error") == 2
    assert operator.metric("reconciles_total", result="success") == 1


@virtual_time
async def test_a_resource_that_cannot_be_read_is_left_out_and_the_others_are_reconciled(server: ApiServer) -> None:
    server.put(MILL_DEPLOYMENTS, resource_body(SPEC, name="odd", uid=None))
    operator = Operator(server)
    await asyncio.sleep(1)
    assert operator.reasons == []
    assert finished_writes(server) == ROLLED_OUT
    assert operator.metric("watch_unreadable_objects", resource="milldeployments.mill.dev") == 1
    await operator.controller.stop()


@virtual_time
@pytest.mark.parametrize("end", [TypeError("a bug"), None], ids=["by an error", "by returning"])
async def test_a_watch_that_ends_ends_the_process(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, end: Exception | None
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


# A resource that changes all the time: it is reconciled in its share of the CPU, the others at once

OTHER = Key("other", "mill")


@virtual_time
async def test_a_resource_that_changes_all_the_time_is_throttled_and_others_are_not(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = Operator(server)
    await asyncio.sleep(1)
    reconciled: dict[Key, list[float]] = {KEY: [], OTHER: []}

    async def reconcile(key: Key) -> None:
        reconciled[key].append(now())
        if key == KEY:
            charge(1.0)

    monkeypatch.setattr(operator.controller._reconciler, "reconcile", reconcile)
    started_at = now()
    for _ in range(1000):
        operator.controller.wake(KEY)
        operator.controller.wake(OTHER)
        await asyncio.sleep(0.1)
    assert BURST_SECONDS <= len(reconciled[KEY]) <= BURST_SECONDS + 100 * 0.25 + 1, "a second each"
    assert [at - started_at for at in reconciled[KEY]][:5] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert len(reconciled[OTHER]) == 1000
    assert operator.metric("rests_total") == pytest.approx(len(reconciled[KEY]) - BURST_SECONDS, abs=1)
    count = len(reconciled[KEY])
    await asyncio.sleep(60)
    assert len(reconciled[KEY]) == count + 1, "its last change is reconciled"
    await operator.controller.stop()


async def test_probes_are_answered_while_a_large_resource_changes_all_the_time(server: ApiServer) -> None:
    """200 services of 250 variables, of which another one is restarted all the time."""
    env = {f"V{number}": "" for number in range(250)}
    spec = {"services": [{"name": f"s-{number}", "image": "web:1", "env": env} for number in range(200)]}
    operator = Operator(server)
    await first_status(server)
    listening = socket.create_server(("127.0.0.1", 0))
    runner = await serve([listening], operator.controller.watches, operator.metrics, deadline=180)
    longest, answers = 0.0, 0
    async with aiohttp.ClientSession() as client, asyncio.timeout(60):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            annotations = {f"restart.mill.dev/s-{answers % 200}": str(answers)}
            server.put(MILL_DEPLOYMENTS, resource_body(spec, name="hog", uid="hog-uid", annotations=annotations))
            asked_at = time.monotonic()
            async with client.get(f"http://127.0.0.1:{listening.getsockname()[1]}/healthz") as answer:
                assert answer.status == 200
            longest = max(longest, time.monotonic() - asked_at)
            answers += 1
            await asyncio.sleep(0.02)
    await runner.cleanup()
    await operator.controller.stop()
    assert finished_writes(server).count("apply deployments") >= 200
    assert longest < 2, "the chart's probe waits for 5 s"
    assert operator.reasons == []


async def first_status(server: ApiServer) -> None:
    """Wait until a status has been written."""
    written = asyncio.Event()

    def observer(request: Request, _answer: Json) -> None:
        if request.subresource == "status":
            written.set()

    server.observers.append(observer)
    async with asyncio.timeout(5):
        await written.wait()
