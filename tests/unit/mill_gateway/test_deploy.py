"""Deploys and restarts over HTTP: writes, refusals and dry runs."""

from typing import Any

import pytest

from mill_kube.errors import ApiError, Conflict

from .conftest import Request, Serve
from .objects import mill_deployment

FILE = 'service "web" {\n  image = "web:2"\n  port  = 8080\n}\n'
WEB = {"name": "web", "image": "web:1", "port": 8080}
ARGO = {"argocd.argoproj.io/tracking-id": "shop:mill.dev/MillDeployment:default/mill"}
STATUS = {
    "observedGeneration": 2,
    "rollout": {
        "id": "2",
        "startedAt": "2026-01-01T00:00:00.000Z",
        "finishedAt": "2026-01-01T00:00:01.000Z",
        "success": True,
    },
}


def _written(asked: Request) -> dict[str, Any]:
    """The resource after the patch, as the API server would answer."""
    body = mill_deployment(status=STATUS)
    body["metadata"]["generation"] = 2
    for operation in asked.body if isinstance(asked.body, list) else ():
        if operation["path"] == "/spec":
            body["spec"] = operation["value"]
    return body


def _managed(**metadata: Any) -> dict[str, Any]:
    body = mill_deployment(WEB)
    body["metadata"] |= metadata
    return body


async def test_a_deploy_streams_its_rollout_to_the_end(served: Serve) -> None:
    async with served(mill_deployment(WEB)) as recorded:
        recorded.kube.answers["patch", "milldeployments"] = _written
        answer = await recorded.http.post("/v1/deploy", content=FILE)
        assert answer.status_code == 200
        assert answer.headers["Mill-Rollout"] == "01234567.2"
        assert answer.text.endswith(
            'event: done\r\ndata: {"elapsed": 1.0, "success": true}\r\nid: 01234567.2.end\r\n\r\n'
        )
        (asked,) = recorded.kube.requests
        assert asked.query["dryRun"] is None


@pytest.mark.parametrize("path", ["/v1/deploy", "/v1/restart/web"])
async def test_a_superseded_deploy_streams_its_own_rollout(served: Serve, path: str) -> None:
    """Another deploy is written, and its rollout has finished, before the API server answers the first one."""
    newer = mill_deployment(WEB, status={**STATUS, "rollout": {**STATUS["rollout"], "id": "3"}})
    newer["metadata"] |= {"generation": 3, "resourceVersion": "999999"}
    async with served(mill_deployment(WEB)) as recorded:

        def overtaken(asked: Request) -> Any:
            recorded.have(newer)
            return _written(asked)

        recorded.kube.answers["patch", "milldeployments"] = overtaken
        answer = await recorded.http.post(path, content=FILE)
        assert answer.headers["Mill-Rollout"] == "01234567.2"
        assert answer.text.startswith('event: failed\r\ndata: {"reason": "superseded by generation 3"}')
        assert '"success": false' in answer.text


async def test_a_deploy_of_a_managed_resource_is_refused_with_the_owners_name(served: Serve) -> None:
    async with served(_managed(annotations=ARGO)) as recorded:
        answer = await recorded.http.post("/v1/deploy", content=FILE)
        assert (answer.status_code, answer.json()["owner"]) == (409, "the Argo CD application shop")
        assert answer.json()["error"].startswith(
            "MillDeployment default/mill is managed by the Argo CD application shop: change it there"
        )
        assert recorded.kube.requests == []
        recorded.kube.answers["patch", "milldeployments"] = _written
        assert (await recorded.http.post("/v1/deploy?force=true", content=FILE)).status_code == 200


async def test_an_owner_that_is_not_cached_yet_counts(served: Serve) -> None:
    """Created by Flux a moment ago: the creation is refused, and the resource that is read has an owner."""
    async with served() as recorded:
        recorded.kube.answers |= {
            ("create", "milldeployments"): Conflict(409, "AlreadyExists", "milldeployments mill already exists"),
            ("get", "milldeployments"): _managed(
                labels={"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux"}
            ),
        }
        answer = await recorded.http.post("/v1/deploy", content=FILE)
        assert (answer.status_code, answer.json()["owner"]) == (409, "the Flux Kustomization flux/apps")
        assert [each.verb for each in recorded.kube.requests] == ["create", "get"]


async def test_constant_writes_of_others_do_not_prevent_a_deploy(served: Serve) -> None:
    refusals = iter(range(4))

    def changed_meanwhile(asked: Request) -> Any:
        if next(refusals, None) is not None:
            return ApiError(422, "Invalid", "the server rejected our request due to an error in our request")
        return _written(asked)

    async with served(mill_deployment(WEB)) as recorded:
        recorded.kube.answers |= {
            ("patch", "milldeployments"): changed_meanwhile,
            ("get", "milldeployments"): mill_deployment(WEB),
        }
        assert (await recorded.http.post("/v1/deploy", content=FILE)).status_code == 200
        *_, last = recorded.kube.requests
        assert list(last.body["metadata"]["annotations"]) == ["mill.dev/request"]
        assert [each["image"] for each in last.body["spec"]["services"]] == ["web:2"]


async def test_a_spec_that_the_api_server_refuses_is_answered_with_its_message(served: Serve) -> None:
    words = "MillDeployment.mill.dev mill is invalid: spec.services[0].name"
    async with served(mill_deployment(WEB)) as recorded:
        refusal = ApiError(422, "Invalid", words, {"kind": "MillDeployment", "name": "mill"})
        recorded.kube.answers["patch", "milldeployments"] = refusal
        answer = await recorded.http.post("/v1/deploy", content=FILE)
        assert (answer.status_code, words in answer.json()["error"]) == (422, True)
        assert len(recorded.kube.requests) == 1


async def test_a_dry_run_reports_changes_and_keeps_nothing(served: Serve) -> None:
    async with served(mill_deployment(WEB, {"name": "old", "image": "old:1"})) as recorded:
        recorded.kube.answers["patch", "milldeployments"] = _written
        answer = await recorded.http.post("/v1/deploy?dryRun=true", content=FILE)
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
            "name": "mill",
            "namespace": "default",
            "created": False,
        }
        (asked,) = recorded.kube.requests
        assert asked.query["dryRun"] == "All"


async def test_a_dry_run_refuses_as_a_deploy_does(served: Serve) -> None:
    async with served(_managed(annotations=ARGO)) as recorded:
        assert (await recorded.http.post("/v1/deploy?dryRun=true", content=FILE)).status_code == 409
        assert (await recorded.http.post("/v1/deploy?dryRun=true", content="service {")).status_code == 400


async def test_a_restart_changes_annotations_and_nothing_else(served: Serve) -> None:
    async with served(_managed(annotations=ARGO)) as recorded:
        recorded.kube.answers["patch", "milldeployments"] = _written
        answer = await recorded.http.post("/v1/restart/web")
        assert (answer.status_code, "event: done" in answer.text) == (200, True)
        (asked,) = recorded.kube.requests
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
async def test_a_restart_of_no_or_several_services_is_refused(
    served: Serve, path: str, status: int, error: str
) -> None:
    shared = {"name": "shared", "image": "web:1"}
    async with served(mill_deployment(WEB, shared), mill_deployment(shared, name="b")) as recorded:
        answer = await recorded.http.post(path)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert recorded.kube.requests == []


async def test_a_restart_of_a_deployment_that_was_just_deleted_is_404(served: Serve) -> None:
    async with served(mill_deployment(WEB)) as recorded:
        answer = await recorded.http.post("/v1/restart/web")
        assert (answer.status_code, answer.json()["error"]) == (404, "service not found")
