"""Edits of child objects by other clients, from the write to the status and the Events."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from mill_kube.errors import ApiError
from mill_kube.resources import DEPLOYMENTS, EVENTS, SERVICES, Resource
from mill_objects.json import Json
from mill_operator.core import timestamps
from tests.support.reconciling import KEY, SERVICE, ReconcilerHarness, created_events

SPEC = {"services": [{**SERVICE, "replicas": 2, "env": {"MODE": "s3cret"}}]}
CONTAINER = "/spec/template/spec/containers/0"


class Edited(ReconcilerHarness):
    """A MillDeployment that is rolled out, and other clients that edit its objects."""

    def __init__(self) -> None:
        self.time = datetime.fromisoformat("2026-01-31T12:00:00Z")
        super().__init__(lambda: self.time)

    async def roll_out(self, spec: Json = SPEC) -> None:
        self.change(spec=spec)
        await self.reconcile()
        await self.reconciler.flush()
        self.clear()

    async def edit(
        self, *changes: tuple[str, Any], manager: str = "kubectl-edit", kind: Resource = DEPLOYMENTS
    ) -> None:
        """Change an object as another client, and observe it."""
        operations = [{"op": "replace", "path": path, "value": value} for path, value in changes]
        await self.client.json_patch(kind, KEY.namespace, "web", operations, manager=manager)
        self.observe(kind, self.stored(kind))
        self.server.requests.clear()

    def stored(self, kind: Resource = DEPLOYMENTS) -> Json:
        found = self.server.find(kind, KEY.namespace, "web")
        assert found is not None
        return found

    def autoscale(self, replicas: int) -> None:
        """Scale the Deployment as the controller of HorizontalPodAutoscalers does, by the subresource."""
        body = self.stored()
        managers = [each for each in body["metadata"]["managedFields"] if each.get("subresource") != "scale"]
        scale = {
            "manager": "kube-controller-manager",
            "operation": "Update",
            "subresource": "scale",
            "time": timestamps.render(self.time),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
        }
        meta = {**body["metadata"], "generation": body["metadata"]["generation"] + 1}
        self.observe(DEPLOYMENTS, {**body, "metadata": meta, "spec": {**body["spec"], "replicas": replicas}})
        answer = {**self.stored(), "metadata": {**self.stored()["metadata"], "managedFields": [*managers, scale]}}
        self.server.faults.clear()
        self.server.add_fault("get", DEPLOYMENTS, times=1, answer=answer)

    async def reconcile_after(self, seconds: float = 0.0) -> float | None:
        self.time += timedelta(seconds=seconds)
        return await self.reconcile()

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.server.requests.clear()
        self.server.answers.clear()

    async def events(self) -> list[tuple[str, str]]:
        """Return the reasons and messages of the Events that were posted."""
        await self.reconciler.flush()
        return [(each["reason"], each["message"]) for each in created_events(self.server)]

    @property
    def put_back(self) -> list[Json]:
        return list(self.statuses[-1]["rollout"].get("putBack", []))


@pytest.fixture
async def edited() -> Edited:
    harness = Edited()
    await harness.roll_out()
    return harness


async def test_an_edit_is_put_back_and_reported(edited: Edited) -> None:
    await edited.edit(("/spec/replicas", 5), manager="kubectl-scale")
    await edited.reconcile()
    assert edited.writes == [("apply", "Deployment web")]
    assert edited.stored()["spec"]["replicas"] == 2
    assert edited.put_back == [
        {
            "kind": "Deployment",
            "name": "web",
            "service": "web",
            "change": "replicas 5 → 2",
            "by": "kubectl-scale",
            "autoscaled": False,
            "count": 1,
            "at": "2026-01-31T12:00:00.000Z",
        }
    ]
    assert await edited.events() == [("PutBack", "Deployment web: replicas 5 → 2, by kubectl-scale")]


async def test_it_takes_two_requests_for_the_object_and_no_list(edited: Edited) -> None:
    await edited.edit(("/spec/replicas", 5))
    await edited.reconcile()
    sent = [(each.verb, each.resource.kind) for each in edited.server.requests]
    assert sent == [("get", "Deployment"), ("patch", "Deployment"), ("patch", "MillDeployment")]


async def test_values_of_the_environment_are_in_no_report(edited: Edited) -> None:
    await edited.edit((f"{CONTAINER}/env/0/value", "hunter2"), (f"{CONTAINER}/image", "web:evil"))
    await edited.reconcile()
    (put_back,) = edited.put_back
    assert put_back["change"] == "image web:evil → registry.example/web:1 of container web; env of container web"
    events = await edited.events()
    assert "hunter2" not in repr((edited.statuses, events))
    assert "s3cret" not in repr((edited.statuses, events))


async def test_a_service_is_an_object_as_well(edited: Edited) -> None:
    await edited.edit(("/spec/selector", {"mill.dev/service": "other"}), kind=SERVICES)
    await edited.reconcile()
    assert await edited.events() == [("PutBack", "Service web: selector, by kubectl-edit")]


async def test_a_deleted_object_is_made_again_and_reported(edited: Edited) -> None:
    edited.lose(DEPLOYMENTS, "web")
    edited.lose(SERVICES, "web")
    await edited.reconcile()
    assert edited.writes == [("apply", "Deployment web"), ("apply", "Service web")]
    assert sorted(await edited.events()) == [
        ("PutBack", "Deployment web: deleted, made again"),
        ("PutBack", "Service web: deleted, made again"),
    ]


async def test_an_edit_after_a_restart_of_the_operator_is_put_back(edited: Edited) -> None:
    """Also of an object that this process has not written."""
    edited.restart()
    await edited.reconcile()
    assert edited.writes == []
    await edited.edit(("/spec/replicas", 5))
    await edited.reconcile()
    assert edited.stored()["spec"]["replicas"] == 2
    assert await edited.events() == [("PutBack", "Deployment web: replicas 5 → 2, by kubectl-edit")]


async def test_after_a_restart_nothing_is_reported_twice(edited: Edited) -> None:
    await edited.edit(("/spec/replicas", 5))
    await edited.reconcile()
    await edited.events()
    edited.restart()
    edited.clear()
    for _ in range(3):
        await edited.reconcile_after(60)
    assert await edited.events() == []
    assert edited.server.requests == []


async def test_an_edit_that_is_repeated_is_written_and_reported_once_a_minute(edited: Edited) -> None:
    wait = None
    for second in range(0, 60, 10):
        await edited.edit(("/spec/replicas", 5))
        wait = await edited.reconcile_after(10 if second else 0)
        assert edited.stored()["spec"]["replicas"] == 2
    assert len(edited.statuses) == 1
    assert wait == 10
    await edited.reconcile_after(10)
    assert [each["count"] for each in edited.put_back] == [6]
    await edited.events()
    assert [each["count"] for each in edited.server.all(EVENTS) if each["reason"] == "PutBack"] == [2]


async def test_changes_of_the_operator_are_not_reported(edited: Edited) -> None:
    await edited.roll_out({"services": [{**SPEC["services"][0], "replicas": 3}]})
    edited.change(annotations={"restart.mill.dev/web": "1"})
    await edited.reconcile()
    edited.restart(release="mill 9.9")
    await edited.reconcile()
    assert await edited.events() == []
    assert edited.put_back == []


async def test_an_edit_before_a_new_rollout_is_part_of_its_change(edited: Edited) -> None:
    await edited.edit(("/spec/replicas", 5))
    edited.change(spec={"services": [SERVICE | {"replicas": 3}]}, generation=2)
    await edited.reconcile()
    assert edited.stored()["spec"]["replicas"] == 3
    assert edited.put_back == []


async def test_a_removed_service_is_not_made_again(edited: Edited) -> None:
    edited.change(spec={"services": [{"name": "api", "image": "api:1"}]}, generation=2)
    await edited.reconcile()
    edited.forget(DEPLOYMENTS, "web")
    edited.forget(SERVICES, "web")
    edited.change(spec=SPEC, generation=3)
    await edited.reconcile()
    assert ("apply", "Deployment web") in edited.writes
    assert edited.put_back == []


async def test_replicas_that_the_service_leaves_out_are_an_autoscalers() -> None:
    edited = Edited()
    await edited.roll_out({"services": [SERVICE]})
    edited.autoscale(7)
    await edited.reconcile()
    assert edited.stored()["spec"]["replicas"] == 7
    assert edited.statuses == []


async def test_an_autoscaler_beside_replicas_is_reported_as_a_conflict(edited: Edited) -> None:
    edited.autoscale(5)
    await edited.reconcile()
    assert edited.stored()["spec"]["replicas"] == 2
    (warning,) = edited.statuses[-1]["warnings"]
    assert (warning["service"], warning["code"]) == ("web", "AutoscalerConflict")
    ((reason, text),) = await edited.events()
    assert reason == "AutoscalerConflict"
    assert "leave `replicas` out of the service, or delete the autoscaler" in text


async def test_replicas_that_are_left_to_the_autoscaler_stay_as_they_are(edited: Edited) -> None:
    """Of a field that no manager owns any more the API server makes the default: one pod, until the autoscaler acts."""
    edited.autoscale(5)
    await edited.reconcile()
    edited.server.faults.clear()
    edited.change(spec={"services": [{**SPEC["services"][0], "replicas": None, "image": "web:2"}]}, generation=2)
    edited.clear()
    await edited.reconcile()
    assert edited.stored()["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2"
    assert edited.stored()["spec"]["replicas"] == 2
    assert edited.writes[:2] == [("apply", "Deployment web"), ("apply", "Deployment web")]
    edited.autoscale(7)
    edited.clear()
    await edited.reconcile_after(60)
    assert edited.stored()["spec"]["replicas"] == 7
    assert edited.statuses == []


async def test_without_an_autoscaler_replicas_that_are_left_out_are_one(edited: Edited) -> None:
    edited.change(spec={"services": [SERVICE]}, generation=2)
    await edited.reconcile()
    assert edited.stored()["spec"]["replicas"] == 1


async def test_a_fight_with_an_autoscaler_is_written_once_a_minute(edited: Edited) -> None:
    for turn in range(20):
        edited.autoscale(5)
        await edited.reconcile_after(15 if turn else 0)
    assert len(edited.statuses) == 5, "in less than five minutes"
    assert edited.stored()["spec"]["replicas"] == 2
    assert edited.put_back[0]["count"] == 17
    while (wait := await edited.reconcile()) is not None:
        await edited.reconcile_after(wait)
        if not edited.statuses[-1].get("warnings"):
            break
    assert not edited.statuses[-1].get("warnings")


@pytest.mark.parametrize("error", [ApiError(403, "Forbidden", "no"), ApiError(500, "InternalError", "no")])
async def test_an_edit_that_cannot_be_read_is_put_back_all_the_same(edited: Edited, error: ApiError) -> None:
    await edited.edit(("/spec/replicas", 5))
    edited.server.add_fault("get", DEPLOYMENTS, error=error)
    await edited.reconcile()
    assert edited.stored()["spec"]["replicas"] == 2
    assert edited.statuses == []


async def test_an_edit_that_cannot_be_put_back_is_not_reported(edited: Edited) -> None:
    await edited.edit(("/spec/replicas", 5))
    edited.server.add_fault("apply", DEPLOYMENTS, error=ApiError(403, "Forbidden", "denied by a webhook"))
    await edited.reconcile()
    assert edited.put_back == []
