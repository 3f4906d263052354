"""`DELETE /v1/deployments/{name}`: what it removes and keeps, and its stream until no pod is left."""

import asyncio
import json
from typing import Any

import pytest

from mill_api.events import Event
from mill_gateway.core.deletion import DeletionProgress
from mill_gateway.objects.deployments import Deployment, project_deployment
from mill_gateway.objects.pods import Program
from mill_kube.resources import MILL_DEPLOYMENTS
from tests.support.gateway.objects import mill_deployment, pod
from tests.support.gateway.rolled_out import ARGO, WEB
from tests.support.gateway.served import Serve

PATH = "/v1/deployments/mill"
VOLUME = {"name": "data", "path": "/data", "size": "1Gi"}
DB = {"name": "db", "image": "db:1", "volumes": [VOLUME]}
TASK = {"name": "migrate", "image": "web:1"}


def _events(text: str) -> list[tuple[str, dict[str, Any]]]:
    blocks = [block.split("\r\n") for block in text.strip().split("\r\n\r\n")]
    return [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in blocks]


async def test_a_dry_run_says_what_is_removed_and_kept(serve: Serve) -> None:
    async with serve(mill_deployment(WEB, DB, tasks=[TASK])) as served:
        answer = await served.http.delete(PATH, params={"plan": "true"})
        assert (answer.status_code, answer.json()) == (
            200,
            {
                "name": "mill",
                "namespace": "default",
                "services": ["web", "db"],
                "tasks": ["migrate"],
                "volumes_kept": ["data"],
            },
        )
        assert served.api.requests == []


async def test_the_stream_ends_when_the_last_pod_is_gone(serve: Serve) -> None:
    stranger = pod("db", "1", deployment="other")
    async with serve(mill_deployment(WEB, DB), pod("web"), pod("db"), stranger) as served:
        deleted = asyncio.Event()
        served.api.observers.append(lambda _request, _answer: deleted.set())
        deleting = asyncio.create_task(served.http.delete(PATH))
        await asyncio.wait_for(deleted.wait(), 5)
        served.lose("MillDeployment", "default", "mill")
        for name in ("db-0", "web-0"):
            assert not deleting.done()
            served.lose("Pod", "default", name)
            await asyncio.sleep(0.01)
        answer = await asyncio.wait_for(deleting, 5)
        (asked,) = served.api.requests
    assert answer.headers["Mill-Deployment"] == "default/mill"
    *stopped, (last, data) = _events(answer.text)
    assert stopped == [("progress", {"service": name, "phase": "stopped"}) for name in ("db", "web")]
    assert (last, data["success"]) == ("done", True)
    assert asked.body == {"preconditions": {"uid": "0123456789abcdef"}, "propagationPolicy": "Background"}


async def test_what_is_not_there_is_not_deleted(serve: Serve) -> None:
    async with serve() as served:
        for query in ({}, {"plan": "true"}):
            answer = await served.http.delete(PATH, params=query)
            assert (answer.status_code, answer.json()["code"]) == (404, "deployment_not_found")


async def test_a_resource_of_a_gitops_tool_is_deleted_there(serve: Serve) -> None:
    body = mill_deployment(WEB)
    body["metadata"]["annotations"] = ARGO
    async with serve(body) as served:
        for query in ({}, {"plan": "true"}):
            answer = await served.http.delete(PATH, params=query)
            assert (answer.status_code, answer.json()["owner"]) == (409, "the Argo CD application shop")
            assert "`mill delete --force`" in answer.json()["error"]
        assert served.api.requests == []
        assert (await served.http.delete(PATH, params={"plan": "true", "force": "true"})).status_code == 200


async def test_another_resource_of_the_name_is_left_alone(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        newer = mill_deployment(WEB)
        newer["metadata"]["uid"] = "fedcba9876543210"
        served.api.put(MILL_DEPLOYMENTS, newer)
        answer = await served.http.delete(PATH)
        assert (answer.status_code, answer.json()["code"]) == (409, "write_conflict")
        assert len(served.api.all(MILL_DEPLOYMENTS)) == 1


def _deployment(**metadata: Any) -> Deployment:
    body = mill_deployment(WEB, DB, tasks=[TASK])
    body["metadata"] |= metadata
    return project_deployment(body)


def _shown(progress: DeletionProgress, current: Deployment | None, *left: str) -> list[Event]:
    def has_pods(program: Program) -> bool:
        return program.name in left

    return list(progress.observe(current, has_pods, 12.34))


@pytest.mark.parametrize("left", [("migrate",), ("migrate", "web", "db")])
def test_nothing_is_over_before_the_resource_and_its_runs_are_gone(left: tuple[str, ...]) -> None:
    progress = DeletionProgress(_deployment(), 10.0)
    assert _shown(progress, _deployment()) == []
    _shown(progress, None, *left)
    assert not progress.over
    *_, last = _shown(progress, None)
    assert (progress.over, last.id, last.data) == (True, "01234567.delete.end", {"elapsed": 2.3, "success": True})


def test_a_resource_that_is_created_again_ends_the_deletion() -> None:
    progress = DeletionProgress(_deployment(), 10.0)
    failed, last = _shown(progress, _deployment(uid="fedcba9876543210"), "web")
    assert failed.data == {"reason": "default/mill was created again meanwhile"}
    assert (last.data["success"], progress.over) == (False, True)
