"""Nothing is told or done for who has no right to it: on every route that there is, and on those to come."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from mill_api.kube.client import ApiError, Unreachable
from mill_gateway.access.authentication import PUBLIC, PUBLIC_FOLDER
from mill_gateway.routes import ROUTERS
from mill_gateway.settings import Settings
from tests.unit.mill_gateway.conftest import Recorded, Request, Serve
from tests.unit.mill_gateway.objects import claim, job, mill_deployment, node, pod

KUBERNETES = Settings(kubernetes_tokens=True, drain=True)
BOT = {"username": "system:serviceaccount:shop:bot", "uid": "u-1", "groups": ["g"], "extra": {"k": ["v"]}}
EVERYTHING = (
    mill_deployment({"name": "web", "image": "web:1"}, tasks=[{"name": "web", "image": "web:1"}]),
    pod("web"),
    pod("web", "1", kind="task", run="web"),
    job("web", "web"),
    claim("web", "web"),
    node("web"),
)

ROUTES = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
    if route.path not in PUBLIC and not route.path.startswith(PUBLIC_FOLDER)
]


def _authenticated(asked: Request) -> dict[str, Any]:
    known = asked.body["spec"]["token"] == "good-token"
    return {"status": {"authenticated": known, "user": BOT if known else {}}}


def _reviews(recorded: Recorded, *, allowed: bool, reason: str = "") -> None:
    recorded.kube.answers |= {
        ("create", "tokenreviews"): _authenticated,
        ("create", "subjectaccessreviews"): {"status": {"allowed": allowed, "reason": reason}},
    }


def test_there_are_routes_to_look_at() -> None:
    assert ("POST", "/v1/deploy") in ROUTES
    assert len(ROUTES) >= 4


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_token_there_is_nothing(served: Serve, method: str, path: str) -> None:
    async with served(*EVERYTHING, settings=Settings(token="right-token")) as recorded:
        for headers in ({}, {"Authorization": "Bearer wrong-token"}, {"Authorization": "bearer right-token"}):
            answer = await recorded.http.request(method, re.sub(r"\{\w+\}", "web", path), headers=headers)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert set(answer.json()) == {"error", "request_id"}
        assert recorded.kube.requests == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_who_may_nothing_gets_nothing(served: Serve, method: str, path: str) -> None:
    async with served(*EVERYTHING, settings=KUBERNETES) as recorded:
        _reviews(recorded, allowed=False)
        recorded.http.headers["Authorization"] = "Bearer good-token"
        body = {"json": {"task": "web", "value": "x"}} if path != "/v1/deploy" else {"content": ""}
        answer = await recorded.http.request(method, re.sub(r"\{\w+\}", "web", path), **body)
        if path != "/v1/status":  # which leaves out what the caller may not see
            assert answer.status_code == 403, answer.text
            assert answer.json()["error"].startswith("system:serviceaccount:shop:bot may not ")
        assert {each.resource.kind for each in recorded.kube.requests} == {"TokenReview", "SubjectAccessReview"}


async def test_unknown_paths_need_a_token_as_well(served: Serve) -> None:
    async with served(settings=Settings(token="right-token")) as recorded:
        for path in ("/nowhere", "/openapi.json", "/docs", "/v1", "/page", "/healthz/", "/./healthz/../v1/status"):
            assert (await recorded.http.get(path)).status_code == 401, path
        assert (await recorded.http.get("/healthz")).status_code == 200
        assert (await recorded.http.get("/nowhere", headers={"Mill-Token": "right-token"})).status_code == 404


async def test_kubernetes_is_asked_for_the_very_thing_and_its_answer_is_remembered(served: Serve) -> None:
    async with served(*EVERYTHING, settings=KUBERNETES) as recorded:
        _reviews(recorded, allowed=True)
        recorded.http.headers["Authorization"] = "Bearer good-token"
        for _ in range(3):
            assert (await recorded.http.get("/v1/deployments/mill?namespace=shop")).status_code == 404
        token, access = recorded.kube.requests
        assert token.body["spec"] == {"token": "good-token"}
        assert access.body["spec"] == {
            "user": "system:serviceaccount:shop:bot",
            "uid": "u-1",
            "groups": ["g"],
            "extra": {"k": ["v"]},
            "resourceAttributes": {
                "verb": "get",
                "group": "mill.dev",
                "version": "v1alpha1",
                "resource": "milldeployments",
                "namespace": "shop",
                "name": "mill",
            },
        }


async def test_a_refusal_says_who_may_not_do_what_and_why(served: Serve) -> None:
    async with served(*EVERYTHING, settings=KUBERNETES) as recorded:
        _reviews(recorded, allowed=False, reason="no such role")
        recorded.http.headers["Authorization"] = "Bearer good-token"
        answer = await recorded.http.get("/v1/deployments?namespace=shop")
        assert answer.json()["error"] == (
            "system:serviceaccount:shop:bot may not list milldeployments.mill.dev in namespace shop: no such role"
        )


@pytest.mark.parametrize("failure", [Unreachable("refused"), ApiError(500, "InternalError", "token good-token is …")])
async def test_an_api_server_that_is_away_is_no_wrong_token(served: Serve, failure: Exception) -> None:
    async with served(settings=KUBERNETES) as recorded:
        recorded.kube.answers["create", "tokenreviews"] = failure
        answer = await recorded.http.get("/v1/deployments", headers={"Authorization": "Bearer good-token"})
        assert answer.status_code == 503
        assert "good-token" not in answer.text


async def test_a_token_that_is_limited_counts_in_its_namespaces_only(served: Serve, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("everywhere\nlimited-token shop,test\n")
    async with served(*EVERYTHING, settings=Settings(token_file=str(file))) as recorded:

        async def status(token: str, path: str) -> int:
            answer = await recorded.http.get(path, headers={"Authorization": f"Bearer {token}"})
            return answer.status_code

        assert await status("limited-token", "/v1/deployments?namespace=shop") == 200
        assert await status("limited-token", "/v1/deployments?namespace=other") == 403
        assert await status("limited-token", "/v1/deployments") == 403
        assert await status("everywhere", "/v1/deployments") == 200


async def test_a_gateway_of_one_namespace_serves_no_other(served: Serve) -> None:
    async with served(settings=Settings(namespace="shop", single_namespace=True, nodes=False)) as recorded:
        assert (await recorded.http.get("/v1/deployments")).status_code == 200
        assert (await recorded.http.get("/v1/deployments?namespace=other")).status_code == 403


async def test_no_token_is_logged(served: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with served(*EVERYTHING, settings=Settings(token="right-token")) as recorded:
        await recorded.http.get("/v1/deployments", headers={"Authorization": "Bearer right-token"})
        await recorded.http.get("/v1/deployments?token=in-the-query", headers={"Mill-Token": "wrong-token"})
    assert "a token of the gateway" in caplog.text
    for secret in ("right-token", "wrong-token", "in-the-query"):
        assert not any(
            secret in record.getMessage() for record in caplog.records if record.name.startswith("mill_gateway")
        )
