"""Names that do not exist are named, with what there is, as far as the caller may know it."""

from pathlib import Path
from typing import Any

import pytest

from mill_gateway.settings import Settings
from mill_kube.errors import ApiError
from mill_kube.resources import NAMESPACES
from tests.support.apiserver import Token
from tests.support.gateway.objects import claim, job, mill_deployment, node
from tests.support.gateway.served import Serve, Served

WEB = {"name": "web", "image": "web:1"}
API = {"name": "api", "image": "api:1"}
SHOP = (
    mill_deployment(WEB, namespace="shop", tasks=[{"name": "migrate", "image": "web:1"}]),
    mill_deployment(API, name="blog", namespace="shop"),
    job("migrate-1", "migrate", namespace="shop"),
    claim("data", "web", namespace="shop"),
    node("node-1"),
)
LISTS = ("/v1/status", "/v1/services", "/v1/tasks", "/v1/volumes", "/v1/secrets", "/v1/deployments")


@pytest.mark.parametrize(
    ("method", "path", "code", "kind", "existing"),
    [
        ("POST", "/v1/restart/wbe", "service_not_found", "service", ["api", "web"]),
        ("GET", "/v1/deployments/mall", "deployment_not_found", "deployment", ["blog", "mill"]),
        ("DELETE", "/v1/deployments/mall", "deployment_not_found", "deployment", ["blog", "mill"]),
        ("GET", "/v1/deployments/mill/events?service=wbe", "service_not_found", "service", ["api", "web"]),
        ("GET", "/v1/services?name=mall", "deployment_not_found", "deployment", ["blog", "mill"]),
        ("GET", "/v1/status?name=mall", "deployment_not_found", "deployment", ["blog", "mill"]),
        ("DELETE", "/v1/tasks/migrate-2", "run_not_found", "run", ["migrate-1"]),
        ("DELETE", "/v1/volumes/dat", "volume_not_found", "volume", ["data"]),
        ("GET", "/v1/secrets/db.url", "secret_not_found", "secret", []),
        ("DELETE", "/v1/nodes/node-2", "node_not_found", "node", ["node-1"]),
    ],
)
async def test_a_name_that_does_not_exist(
    serve: Serve, method: str, path: str, code: str, kind: str, existing: list[str]
) -> None:
    async with serve(*SHOP, settings=Settings(drain=True)) as served:
        query = path if kind == "node" else f"{path}{'&' if '?' in path else '?'}namespace=shop"
        answer = await served.http.request(method, query)
        body = answer.json()
    assert (answer.status_code, body["code"], body["kind"], body["existing"]) == (404, code, kind, existing)
    assert body["namespace"] == (None if kind == "node" else "shop")


async def test_a_task_that_does_not_exist(serve: Serve) -> None:
    async with serve(*SHOP) as served:
        body = (await served.http.post("/v1/tasks/spawn?namespace=shop", json={"task": "migrat"})).json()
    assert (body["error"], body["name"], body["existing"]) == ("task template not found", "migrat", ["migrate"])


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_of_a_namespace_that_does_not_exist(serve: Serve, path: str) -> None:
    async with serve(*SHOP) as served:
        answer = await served.http.get(f"{path}?namespace=shp")
        assert (answer.status_code, answer.json()["code"]) == (404, "namespace_not_found")
        assert answer.json()["error"] == 'namespace "shp" does not exist'
        assert answer.json()["existing"] == ["shop"]
        assert (await served.http.get(f"{path}?namespace=other")).status_code == 200, "it is empty"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/deployments/mill"),
        ("POST", "/v1/restart/web"),
        ("DELETE", "/v1/tasks/migrate-1"),
        ("GET", "/v1/secrets/db.url"),
    ],
)
async def test_a_name_in_a_namespace_that_does_not_exist(serve: Serve, method: str, path: str) -> None:
    async with serve(*SHOP) as served:
        answer = await served.http.request(method, f"{path}?namespace=shp")
    assert (answer.status_code, answer.json()["code"]) == (404, "namespace_not_found")


async def test_a_deploy_to_a_namespace_that_does_not_exist(serve: Serve) -> None:
    async with serve(*SHOP) as served:
        served.api.namespaces = {"shop"}
        answer = await served.http.post("/v1/deploy?namespace=shp", content='service "web" { image = "web:1" }')
    assert (answer.status_code, answer.json()["code"], answer.json()["name"]) == (404, "namespace_not_found", "shp")


async def test_a_namespace_is_asked_for_once_and_only_where_nothing_of_it_is_known(serve: Serve) -> None:
    async with serve(*SHOP) as served:
        for _ in range(3):
            await served.http.get("/v1/services?namespace=other")
            await served.http.get("/v1/volumes?namespace=shop&name=blog")
        assert [each.name for each in served.api.sent("get", NAMESPACES)] == ["other"]


async def test_a_gateway_that_may_not_read_namespaces_takes_them_for_existing(serve: Serve) -> None:
    async with serve(*SHOP) as served:
        served.api.add_fault("get", NAMESPACES, error=ApiError(403, "Forbidden", "no"))
        assert (await served.http.get("/v1/services?namespace=shp")).json() == []


def _bot(served: Served, allowed: Any) -> None:
    served.api.accounts.tokens["good-token"] = Token({"username": "bot"})
    served.api.accounts.is_allowed = lambda spec: allowed(spec["resourceAttributes"])
    served.http.headers["Authorization"] = "Bearer good-token"


async def test_a_caller_with_one_name_is_told_no_other(serve: Serve) -> None:
    async with serve(*SHOP, settings=Settings(kubernetes_tokens=True)) as served:
        _bot(served, lambda asked: asked.get("name") == "mall")
        body = (await served.http.get("/v1/deployments/mall?namespace=shop")).json()
    assert (body["code"], "existing" in body) == ("deployment_not_found", False)


async def test_a_caller_of_one_namespace_is_told_no_other(serve: Serve) -> None:
    async with serve(*SHOP, settings=Settings(kubernetes_tokens=True)) as served:
        _bot(served, lambda asked: asked.get("namespace") == "shp")
        body = (await served.http.get("/v1/services?namespace=shp")).json()
        assert (body["code"], "existing" in body) == ("namespace_not_found", False)
        # Without a right in it, not even that.
        denied = await served.http.get("/v1/services?namespace=shq")
        assert (denied.status_code, denied.json()["code"]) == (403, "not_permitted")
        assert [each.name for each in served.api.sent("get", NAMESPACES)] == ["shp"]


async def test_a_token_of_some_namespaces_is_told_no_other(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("right-token-of-shp shp")
    settings = Settings(admin_tokens_file=str(tmp_path / "tokens"))
    async with serve(*SHOP, settings=settings) as served:
        served.http.headers["Authorization"] = "Bearer right-token-of-shp"
        body = (await served.http.get("/v1/services?namespace=shp")).json()
    assert (body["code"], "existing" in body) == ("namespace_not_found", False)


async def test_names_are_bounded_to_the_nearest(serve: Serve) -> None:
    many = [{"name": f"web-{at:03}", "image": "web:1"} for at in range(200)]
    async with serve(mill_deployment(*many, namespace="shop")) as served:
        found = (await served.http.post("/v1/restart/web-1000?namespace=shop")).json()["existing"]
    assert len(found) == 50
    assert "web-100" in found
    assert found == sorted(found)


async def test_all_namespaces_are_listed(serve: Serve) -> None:
    async with serve(*SHOP, mill_deployment(WEB, namespace="other")) as served:
        services = (await served.http.get("/v1/services?allNamespaces=true")).json()
        assert [(each["namespace"], each["name"]) for each in services] == [
            ("other", "web"),
            ("shop", "api"),
            ("shop", "web"),
        ]
        shown = (await served.http.get("/v1/status?allNamespaces=true")).json()
        assert [(each["namespace"], each["name"]) for each in shown["deployments"]] == [
            ("other", "mill"),
            ("shop", "blog"),
            ("shop", "mill"),
        ]
        assert "namespace" not in shown
        assert [each["id"] for each in (await served.http.get("/v1/tasks?allNamespaces=true")).json()] == ["migrate-1"]
        both = await served.http.get("/v1/services?allNamespaces=true&namespace=shop")
        assert (both.status_code, both.json()["code"]) == (400, "invalid_parameters")


async def test_all_namespaces_need_the_right_in_all(serve: Serve) -> None:
    async with serve(*SHOP, settings=Settings(kubernetes_tokens=True)) as served:
        _bot(served, lambda asked: asked.get("namespace") == "shop")
        denied = await served.http.get("/v1/services?allNamespaces=true")
        assert (denied.status_code, denied.json()["code"]) == (403, "not_permitted")
        _bot(served, lambda asked: "namespace" not in asked)
        served.http.headers["Authorization"] = "Bearer admin-token"
        served.api.accounts.tokens["admin-token"] = Token({"username": "admin"})
        assert len((await served.http.get("/v1/services?allNamespaces=true")).json()) == 2


async def test_a_token_of_some_namespaces_lists_these(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("right-token-of-shop shop")
    settings = Settings(admin_tokens_file=str(tmp_path / "tokens"))
    async with serve(*SHOP, mill_deployment(WEB, namespace="other"), settings=settings) as served:
        served.http.headers["Authorization"] = "Bearer right-token-of-shop"
        services = (await served.http.get("/v1/services?allNamespaces=true")).json()
        assert {each["namespace"] for each in services} == {"shop"}
