"""Pausing and resuming a deployment, and what the streams of a paused one tell."""

from typing import Any

from mill_api.events import Notice, pause_notices
from mill_api.names import ANNOTATION_PAUSED
from mill_api.status import MillDeploymentStatus
from mill_kube.resources import MILL_DEPLOYMENTS
from tests.support.gateway.objects import mill_deployment
from tests.support.gateway.served import Serve

AT = "2026-01-01T00:00:00.000Z"
WEB = {"name": "web", "image": "web:1", "port": 8080}
PAUSED = {"generation": 2, "annotations": {ANNOTATION_PAUSED: "true"}}
STEP = {"seq": 1, "at": AT, "phase": "pulling"}
FAILED = {"seq": 2, "at": AT, "phase": "failed", "message": "no"}


def notices(rollout: str, current: dict[str, Any] | None, *services: dict[str, Any], **options: Any) -> list[str]:
    status = MillDeploymentStatus.model_validate({"rollout": current, "services": services})
    told = pause_notices(rollout, PAUSED, ["web", "worker"], status, **options)
    assert all(each.data["phase"] == "waiting" and each.data["message"] == "paused" for each in told)
    return [each.data["service"] for each in told]


def test_all_services_of_a_rollout_that_has_not_begun_wait() -> None:
    assert notices("2", None) == ["web", "worker"]
    assert notices("2", {"id": "1", "startedAt": AT}) == ["web", "worker"]
    assert notices("2", None, only="worker") == ["worker"]


def test_the_services_without_an_end_wait() -> None:
    services = {"name": "web", "transitions": [STEP]}, {"name": "worker", "transitions": [STEP, FAILED]}
    assert notices("2", {"id": "2", "startedAt": AT}, *services) == ["web"]
    assert notices("2", {"id": "2", "startedAt": AT, "finishedAt": AT, "success": False}, *services) == []


def test_nothing_of_another_rollout_waits() -> None:
    assert notices("1", {"id": "2", "startedAt": AT}) == []
    assert pause_notices("2", {"generation": 2}, ["web"], MillDeploymentStatus()) == []


def test_a_notice_has_no_id() -> None:
    assert Notice("progress", {"service": "web"}).encode() == b'event: progress\r\ndata: {"service": "web"}\r\n\r\n'


async def test_a_deployment_is_paused_and_resumed(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        paused = await served.http.post("/v1/deployments/mill/pause")
        assert (paused.status_code, paused.json()["paused"]) == (200, True)
        stored = served.api.find(MILL_DEPLOYMENTS, "default", "mill")
        assert stored is not None
        assert stored["metadata"]["annotations"][ANNOTATION_PAUSED] == "true"
        resumed = await served.http.post("/v1/deployments/mill/resume")
        assert (resumed.status_code, resumed.json()["paused"]) == (200, False)
        assert (await served.http.post("/v1/deployments/other/pause")).status_code == 404


async def test_a_pause_holds_whatever_the_store_says(serve: Serve) -> None:
    """Another gateway may have resumed it a moment ago."""
    async with serve(mill_deployment(WEB)) as served:
        await served.http.post("/v1/deployments/mill/pause")
        stored = served.api.find(MILL_DEPLOYMENTS, "default", "mill")
        assert stored is not None
        served.api.put(MILL_DEPLOYMENTS, {**stored, "metadata": {**stored["metadata"], "annotations": {}}})
        assert (await served.http.post("/v1/deployments/mill/pause")).json()["paused"] is True
