"""Deploys and restarts over HTTP: writes, refusals and dry runs."""

from typing import Any

import pytest

from mill_kube.errors import ApiError
from mill_kube.resources import MILL_DEPLOYMENTS
from tests.support.gateway.objects import mill_deployment
from tests.support.gateway.operator import finish_rollouts
from tests.support.gateway.rivals import change_before_each_patch
from tests.support.gateway.rolled_out import ARGO, STATUS, WEB
from tests.support.gateway.served import Serve, Served

FILE = 'service "web" {\n  image = "web:2"\n  port  = 8080\n}\n'


def _images(served: Served) -> list[str]:
    """Return the images of the services in the cluster."""
    (found,) = served.api.all(MILL_DEPLOYMENTS)
    return [each["image"] for each in found["spec"]["services"]]


def _managed(**metadata: Any) -> dict[str, Any]:
    body = mill_deployment(WEB)
    body["metadata"] |= metadata
    return body


async def test_a_deploy_streams_its_rollout_to_the_end(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        finish_rollouts(served, STATUS)
        answer = await served.http.post("/v1/deploy", content=FILE)
        assert answer.status_code == 200
        assert _images(served) == ["web:2"]
        assert answer.headers["Mill-Rollout"] == "01234567.2"
        assert answer.text.endswith(
            'event: done\r\ndata: {"elapsed": 1.0, "success": true}\r\nid: 01234567.2.end\r\n\r\n'
        )
        (asked,) = served.api.requests
        assert asked.query["dryRun"] is None


@pytest.mark.parametrize("path", ["/v1/deploy", "/v1/restart/web"])
async def test_a_superseded_deploy_streams_its_own_rollout(serve: Serve, path: str) -> None:
    """Another deploy is written, and its rollout over, before the API server's answer to the first has come."""
    newer = mill_deployment(WEB, status={**STATUS, "rollout": {**STATUS["rollout"], "id": "3"}})
    newer["metadata"]["generation"] = 3
    async with serve(mill_deployment(WEB)) as served:
        served.api.observers.append(lambda _request, _answer: served.have(newer))
        answer = await served.http.post(path, content=FILE)
        (asked,) = served.api.requests
        restarted = "restart" in path
        own = f"1-{asked.body['metadata']['annotations']['mill.dev/request']}" if restarted else "2"
        assert answer.headers["Mill-Rollout"] == f"01234567.{own}"
        assert answer.text.startswith('event: failed\r\ndata: {"reason": "superseded by generation 3"}')
        assert '"success": false' in answer.text


async def test_a_deploy_of_a_managed_resource_is_refused_with_the_owners_name(serve: Serve) -> None:
    async with serve(_managed(annotations=ARGO)) as served:
        answer = await served.http.post("/v1/deploy", content=FILE)
        assert (answer.status_code, answer.json()["owner"]) == (409, "the Argo CD application shop")
        assert answer.json()["error"].startswith(
            "MillDeployment default/mill is managed by the Argo CD application shop: change it there"
        )
        assert served.api.requests == []
        finish_rollouts(served, STATUS)
        assert (await served.http.post("/v1/deploy?force=true", content=FILE)).status_code == 200
        assert _images(served) == ["web:2"]


async def test_an_owner_that_is_not_cached_yet_counts(serve: Serve) -> None:
    """Created by Flux a moment ago: the creation is refused, and the resource that is read has an owner."""
    async with serve() as served:
        flux = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux"}
        served.api.put(MILL_DEPLOYMENTS, _managed(labels=flux))
        answer = await served.http.post("/v1/deploy", content=FILE)
        assert (answer.status_code, answer.json()["owner"]) == (409, "the Flux Kustomization flux/apps")
        assert [each.verb for each in served.api.requests] == ["create", "get"]


async def test_constant_writes_of_others_do_not_prevent_a_deploy(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        change_before_each_patch(served, mill_deployment(WEB))
        finish_rollouts(served, STATUS)
        assert (await served.http.post("/v1/deploy", content=FILE)).status_code == 200
        *_, last = served.api.requests
        assert list(last.body["metadata"]["annotations"]) == ["mill.dev/request", "mill.dev/asked"]
        assert [each["image"] for each in last.body["spec"]["services"]] == ["web:2"]
        assert _images(served) == ["web:2"]
        assert len(served.api.sent("json_patch")) > 1


async def test_a_spec_that_the_api_server_refuses_is_answered_with_its_message(serve: Serve) -> None:
    words = "MillDeployment.mill.dev mill is invalid: spec.services[0].name"
    async with serve(mill_deployment(WEB)) as served:
        refusal = ApiError(422, "Invalid", words, {"kind": "MillDeployment", "name": "mill"})
        served.api.add_fault("patch", MILL_DEPLOYMENTS, error=refusal)
        answer = await served.http.post("/v1/deploy", content=FILE)
        assert (answer.status_code, words in answer.json()["error"]) == (422, True)
        assert len(served.api.requests) == 1


@pytest.mark.parametrize("path", ["/v1/deploy?dryRun=true", "/v1/deploy/plan"])
async def test_a_plan_reports_changes_and_keeps_nothing(serve: Serve, path: str) -> None:
    async with serve(mill_deployment(WEB, {"name": "old", "image": "old:1"})) as served:
        answer = await served.http.post(path, content=FILE)
        assert answer.status_code == 200
        assert answer.json() == {
            "changed": True,
            "services": [
                {
                    "name": "web",
                    "change": "changed",
                    "fields": [{"path": "image", "before": "web:1", "after": "web:2"}],
                },
                {"name": "old", "change": "removed", "fields": []},
            ],
            "tasks": [],
            "renamed": [],
            "name": "mill",
            "namespace": "default",
            "created": False,
            "base": "0123456789abcdef.1",
            "volumes_kept": [],
            "rollout_tasks": [],
        }
        (asked,) = served.api.requests
        assert asked.query["dryRun"] == "All"
        assert _images(served) == ["web:1", "old:1"]


async def test_a_dry_run_refuses_as_a_deploy_does(serve: Serve) -> None:
    async with serve(_managed(annotations=ARGO)) as served:
        assert (await served.http.post("/v1/deploy?dryRun=true", content=FILE)).status_code == 409
        assert (await served.http.post("/v1/deploy?dryRun=true", content="service {")).status_code == 400


async def test_a_restart_changes_annotations_and_nothing_else(serve: Serve) -> None:
    async with serve(_managed(annotations=ARGO)) as served:
        finish_rollouts(served, STATUS)
        answer = await served.http.post("/v1/restart/web")
        assert (answer.status_code, "event: done" in answer.text) == (200, True)
        (asked,) = served.api.requests
        request = asked.body["metadata"]["annotations"]["mill.dev/request"]
        assert asked.body == {
            "metadata": {
                "uid": "0123456789abcdef",
                "annotations": {"restart.mill.dev/web": request, "mill.dev/request": request},
            }
        }


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1/restart/nope", 404, "service not found"),
        ("/v1/restart/web?name=nope", 404, "service not found"),
        ("/v1/restart/web?namespace=other", 404, "service not found"),
        ("/v1/restart/shared", 409, "several deployments have a service shared: say which with `?name=` (b, mill)"),
    ],
)
async def test_a_restart_of_no_or_several_services_is_refused(serve: Serve, path: str, status: int, error: str) -> None:
    shared = {"name": "shared", "image": "web:1"}
    objects = (mill_deployment(WEB, shared), mill_deployment(shared, name="b"), mill_deployment(namespace="other"))
    async with serve(*objects) as served:
        answer = await served.http.post(path)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert served.api.requests == []


async def test_a_restart_of_a_deployment_that_was_just_deleted_is_404(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        served.api.remove(MILL_DEPLOYMENTS, "default", "mill")
        answer = await served.http.post("/v1/restart/web")
        assert (answer.status_code, answer.json()["error"]) == (404, "service not found")
