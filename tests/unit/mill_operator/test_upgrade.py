"""An operator that renders every pod template otherwise than the one before: it updates a few services at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mill_api.service_status import State
from mill_kube.errors import ApiError, Unreachable
from mill_kube.resources import DEPLOYMENTS, MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.controller import Controller, ControllerOptions
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.rollout.internal_error import REPORTED_FAILURES
from mill_operator.metrics import Metrics
from mill_operator.reconciler import ReconcilerOptions
from tests.support.apiserver import ApiServer, InMemoryClient
from tests.support.fleet import NAMESPACE, NEWER, OLDER, Fleet, surged, with_volume
from tests.support.reconciling import SERVICE, ReconcilerHarness
from tests.unit.virtual_time import virtual_time

VOLUMES = ("db-1", "db-4", "db-7")
NAMES = [f"mill-{number}" for number in range(8)]


def services(number: int) -> list[Json]:
    """Return the services of a MillDeployment: 50 of eight, three of them with a volume."""
    found = [surged(f"web-{number}-{each}") for each in range(5 if number == 0 else 6)]
    if number in (0, 2):
        found[4].pop("port")
    return [with_volume(f"db-{number}"), *found] if f"db-{number}" in VOLUMES else found


@pytest.fixture
async def fleet(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    """Return eight MillDeployments that an operator with the older form has rolled out."""
    fleet = Fleet(monkeypatch)
    for number, name in enumerate(NAMES):
        fleet.put(name, services(number))
    await fleet.start(OLDER)
    await fleet.run(20, until=fleet.is_settled)
    await fleet.run(1)
    assert fleet.is_settled()
    await fleet.stop()
    yield fleet
    await fleet.kill()


def as_an_earlier_release(fleet: Fleet, name: str) -> None:
    """Rewrite a status as a release without settling windows has written it."""
    body = fleet.server.find(MILL_DEPLOYMENTS, NAMESPACE, name) or {}
    for service in body["status"]["services"]:
        for field in ("settledAt", "settle", "settlingSince", "servingSince", "servingImages"):
            service.pop(field, None)
        service["replicas"].pop("serving")
        service["transitions"] = [each for each in service["transitions"] if each["phase"] != "settled"]
    body["status"]["rollout"].pop("lastSeq", None)
    fleet.server.put(MILL_DEPLOYMENTS, body)


async def test_fifty_services_are_updated_ten_at_a_time_and_volumes_last_one_at_a_time(fleet: Fleet) -> None:
    for name in NAMES[::2]:
        as_an_earlier_release(fleet, name)
    old = dict(fleet._templates)
    rollouts = {name: body["status"]["rollout"] for name in NAMES if (body := fleet.server.find(*_place(name)))}
    transitions = {name: body["status"]["services"] for name in NAMES if (body := fleet.server.find(*_place(name)))}
    fleet.deployments.breaks = {Key(NAMESPACE, "web-3-1"): "unready", Key(NAMESPACE, "web-4-2"): "missing image"}
    await fleet.start(NEWER)
    await fleet.run(300, until=lambda: len(fleet.begun) == len(old) and fleet.is_settled())

    assert sorted(fleet.begun) == sorted(old)
    assert fleet.peak == 10
    assert fleet.begun[-3:] == list(VOLUMES)
    failed = {
        each.name: each.message for name in NAMES for each in fleet.status(name).services if each.state == "Failed"
    }
    assert failed.keys() == {"web-3-1", "web-4-2"}
    assert failed["web-4-2"] == "image pull failed: tag not found"
    assert all(each.updated_by == "mill 0.2" for name in NAMES for each in fleet.status(name).services)
    for name in NAMES:
        status = fleet.status(name)
        assert status.history == []
        assert status.rollout is not None
        assert (status.rollout.id, status.rollout.success, status.rollout.regressed) == ("1", True, [])
        assert status.rollout.finished_at == rollouts[name]["finishedAt"]
        ready = next(each for each in status.conditions if each.type == "Ready")
        assert ready.status == str(name not in ("mill-3", "mill-4"))
        recorded = {each["name"]: len(each["transitions"]) for each in transitions[name]}
        assert {each.name: len(each.transitions) for each in status.services} == recorded
    assert fleet.deployments.templates(Key(NAMESPACE, "web-4-2")) == [old["web-4-2"]]
    await fleet.stop()
    assert fleet.events("Updated") == NAMES
    assert fleet.events("Recovered") == []
    assert fleet.events("TagNotFound") == ["mill-4"]


async def test_one_that_waits_and_one_that_is_updated_stay_ready_and_record_nothing(fleet: Fleet) -> None:
    transitions = {name: _transitions(fleet, name) for name in NAMES}
    await fleet.start(NEWER)
    await fleet.run(4)
    assert len(fleet.changed) == 10
    waiting = [name for name in NAMES if not any(each.updated_by for each in fleet.status(name).services)]
    assert len(waiting) >= 5
    assert [write for name in waiting for write in fleet.status_writes(name)] == []
    assert len(fleet.server.sent("list")) == len([*fleet.reconciler._caches.reflectors])
    await fleet.run(300, until=lambda: len(fleet.begun) == 50 and fleet.is_settled())
    assert {name: _transitions(fleet, name) for name in NAMES} == transitions
    for name in ("mill-0", "mill-2", "mill-3"):
        ready = [condition for write in fleet.status_writes(name) for condition in write["conditions"]]
        assert {(each["type"], each["status"]) for each in ready} == {("Ready", "True")}
    for name in ("mill-1", "mill-4", "mill-7"):  # while its volume is handed over, a database does not serve
        ready = [condition for write in fleet.status_writes(name) for condition in write["conditions"]]
        assert {(each["type"], each["status"]) for each in ready} >= {("Ready", "False"), ("Reconciling", "True")}


@pytest.mark.parametrize("is_written", [True, False])
async def test_an_operator_that_starts_in_the_middle_keeps_the_limit(fleet: Fleet, *, is_written: bool) -> None:
    """Also if the statuses that say what the one before it has changed were not written."""
    if not is_written:
        fleet.server.add_fault("patch", MILL_DEPLOYMENTS, error=Unreachable("no answer"))
    await fleet.start(NEWER)
    await fleet.run(10 if is_written else 2)
    changed = set(fleet.changed)
    assert len(changed) == 10
    await fleet.kill()
    fleet.server.faults.clear()
    await fleet.start(NEWER, last_first=True)
    fleet.changed |= changed
    await fleet.run(300, until=lambda: len(fleet.begun) == 50 and fleet.is_settled())
    assert fleet.peak == 10
    assert sorted(fleet.begun) == sorted(fleet._templates)
    assert sorted(fleet.begun[-3:]) == list(VOLUMES)


async def test_a_new_rollout_goes_ahead_at_once(fleet: Fleet) -> None:
    await fleet.start(NEWER)
    await fleet.run(2)
    assert not any(name.startswith("web-6") for name in fleet.begun)
    fleet.put("mill-6", [surged("web-6-0", image="registry.example/web:2")], generation=2)
    await fleet.run(1)
    assert fleet.begun[-1] == "web-6-0"
    await fleet.run(20, until=lambda: fleet.has_settled("web-6-0"))
    service = fleet.service("web-6-0")
    assert (service.state, service.updated_by) == (State.HEALTHY, None)
    assert [each.id for each in fleet.status("mill-6").history] == ["1"]


async def test_the_places_of_a_resource_that_is_deleted_are_free(fleet: Fleet) -> None:
    await fleet.start(NEWER)
    await fleet.run(2)
    gone = next(name for name in NAMES if any(each.updated_by for each in fleet.status(name).services))
    before = len(fleet.begun)
    fleet.server.remove(MILL_DEPLOYMENTS, NAMESPACE, gone)
    await fleet.run(1)
    assert len(fleet.begun) > before


class TestTakenBack:
    @pytest.fixture
    async def fleet(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
        """Return a MillDeployment whose database has failed to become a newer version, and runs the older one."""
        fleet = Fleet(monkeypatch)
        fleet.put("mill", [with_volume("db"), surged("web")])
        await fleet.start(OLDER)
        await fleet.run(20, until=fleet.is_settled)
        fleet.deployments.breaks = {Key(NAMESPACE, "db"): "missing image"}
        fleet.good = fleet.template("db")  # type: ignore[attr-defined]
        fleet.put("mill", [{**with_volume("db"), "image": "registry.example/db:2"}, surged("web")], generation=2)
        await fleet.run(20)
        assert fleet.template("db") == fleet.good  # type: ignore[attr-defined]
        await fleet.stop()
        yield fleet
        await fleet.kill()

    async def test_it_stays_so_and_keeps_its_verdict(self, fleet: Any) -> None:
        fleet.begun.clear()
        await fleet.start(NEWER)
        await fleet.run(30)
        service = fleet.service("db")
        assert (fleet.begun, fleet.template("db")) == (["web"], fleet.good)
        assert (service.state, service.reason, service.updated_by) == (State.FAILED, "TagNotFound", None)
        assert service.failed_template == service.template
        assert fleet.deployments.templates(Key(NAMESPACE, "db")) == [fleet.good]

    async def test_until_a_rollout_is_requested(self, fleet: Any) -> None:
        await fleet.start(NEWER)
        await fleet.run(10)
        fleet.deployments.breaks = {}
        fleet.put("mill", [{**with_volume("db"), "image": "registry.example/db:3"}, surged("web")], generation=3)
        await fleet.run(30)
        service = fleet.service("db")
        assert (service.state, service.failed_template) == (State.HEALTHY, None)
        assert fleet.template("db") == service.template

    async def test_an_update_that_fails_is_taken_back_too(self, fleet: Any) -> None:
        fleet.put("mill", [with_volume("db"), surged("web")], generation=3)
        await fleet.start(OLDER)
        await fleet.run(20, until=fleet.is_settled)
        await fleet.stop()
        await fleet.start(NEWER)
        await fleet.run(60)
        service = fleet.service("db")
        assert (service.state, service.reason, service.updated_by) == (State.FAILED, "TagNotFound", "mill 0.2")
        assert fleet.deployments.templates(Key(NAMESPACE, "db")) == [fleet.good]
        rollout = fleet.status("mill").rollout
        assert (rollout.success, rollout.regressed) == (True, [])


async def test_a_version_that_its_rollout_has_not_begun_gets_the_newer_form_in_that_rollout(fleet: Fleet) -> None:
    """The operator was replaced before it had applied it: nothing that runs has it."""
    fleet.server.add_fault("apply", DEPLOYMENTS, error=ApiError(500, "InternalError", "the webhook does not answer"))
    services = [surged("web-6-0", image="registry.example/web:2")]
    await fleet.start(OLDER)
    fleet.put("mill-6", services, generation=2)
    await fleet.run(2)
    assert fleet.service("web-6-0").reason == "AdmissionBroken"
    await fleet.stop()
    fleet.server.faults.clear()
    await fleet.start(NEWER)
    await fleet.run(20, until=lambda: fleet.has_settled("web-6-0"))
    rollout = fleet.status("mill-6").rollout
    assert rollout is not None
    assert (rollout.id, rollout.success, fleet.service("web-6-0").updated_by) == ("2", True, None)


async def test_a_version_that_its_rollout_has_begun_ends_it_before_its_update(fleet: Fleet) -> None:
    await fleet.start(OLDER)
    fleet.put("mill-6", [surged("web-6-0", image="registry.example/web:2")], generation=2)
    await fleet.run(3)
    await fleet.stop()
    fleet.begun.clear()
    await fleet.start(NEWER)
    await fleet.run(2)
    assert "web-6-0" not in fleet.begun
    await fleet.run(300, until=lambda: "web-6-0" in fleet.begun)
    rollout = fleet.status("mill-6").rollout
    assert rollout is not None
    assert (rollout.id, rollout.success) == ("2", True)
    await fleet.run(20, until=lambda: fleet.has_settled("web-6-0"))
    assert (fleet.status("mill-6").rollout, fleet.service("web-6-0").updated_by) == (rollout, "mill 0.2")


@virtual_time
async def test_the_controller_reconciles_what_waits_when_a_place_is_free() -> None:
    """Services without replicas settle at once, so that nothing but free places makes a reconciliation necessary."""
    server = ApiServer()
    idle: dict[str, list[Json]] = {
        "web": [{**surged(f"web-{number}"), "replicas": 0} for number in range(25)],
        "db": [{**with_volume("db"), "replicas": 0}],
        "cache": [{**with_volume("cache"), "replicas": 0}],
    }
    for name, programs in idle.items():
        metadata = {"name": name, "namespace": NAMESPACE, "generation": 1}
        server.put(MILL_DEPLOYMENTS, {"metadata": metadata, "spec": {"services": programs}})
    for options in (OLDER, NEWER):
        given = ControllerOptions(reconciler=ReconcilerOptions(options, keeps_revisions=False))
        controller = Controller(InMemoryClient(server), given, metrics=Metrics(), give_up=lambda _reason: None)
        controller.start()
        await asyncio.sleep(60)
        await controller.stop()
    services = [each for body in server.all(MILL_DEPLOYMENTS) for each in body["status"]["services"]]
    assert {each.get("updatedBy") for each in services} == {"mill 0.2"}
    assert all("settledAt" in each for each in services)


async def test_a_resource_that_cannot_be_reconciled_takes_no_place_once_that_is_reported(fleet: Fleet) -> None:
    await fleet.start(NEWER)
    await fleet.run(1)
    assert {name for name in fleet.begun if name.startswith("web-0")} == {f"web-0-{each}" for each in range(5)}
    key, fault = Key(NAMESPACE, "mill-0"), InternalError("ValueError", "0123456789")
    before = len(fleet.begun)
    for _ in range(REPORTED_FAILURES):
        assert len(fleet.begun) == before
        await fleet.reconciler.failed(key, fault)
    fleet._due.clear()
    await fleet._work()
    assert len(fleet.begun) == before + 5


async def test_a_service_that_waits_without_a_pod_keeps_its_verdict() -> None:
    """Its version was refused, and is not written again before its turn."""
    harness = ReconcilerHarness()
    harness.change(spec={"services": [SERVICE]})
    await harness.reconcile()
    refusal = ApiError(403, "Forbidden", "no images of others")
    harness.server.add_fault("apply", DEPLOYMENTS, error=refusal)
    harness.change(spec={"services": [{**SERVICE, "image": "registry.example/web:2"}]}, generation=2)
    await harness.reconcile()
    verdict = (harness.service["state"], harness.service["message"])
    assert verdict == ("Failed", "refused by the cluster: no images of others")
    harness.change()
    harness.restart(render=NEWER)
    harness.reconciler._places.expect([Key("shop", "other")])
    statuses, writes = len(harness.statuses), len(harness.writes)
    await harness.reconcile()
    await harness.reconciler.flush()
    assert (len(harness.statuses), len(harness.writes)) == (statuses, writes)


def _place(name: str) -> tuple[Any, str, str]:
    return (MILL_DEPLOYMENTS, NAMESPACE, name)


def _transitions(fleet: Fleet, name: str) -> list[list[Any]]:
    return [[*each.transitions] for each in fleet.status(name).services]
