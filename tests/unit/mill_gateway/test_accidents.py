"""Deploys that would delete by accident: each is refused with the parameter by which it is meant."""

from functools import partial
from typing import Any

import pytest

from mill_gateway.access.access_request import AccessRequest
from mill_gateway.settings import Settings
from mill_kube.resources import MILL_DEPLOYMENTS
from tests.support.gateway.objects import mill_deployment
from tests.support.gateway.operator import finish_rollouts
from tests.support.gateway.rivals import change_before_each_patch
from tests.support.gateway.rolled_out import ARGO, STATUS, WEB
from tests.support.gateway.served import Serve, Served

OTHER = 'service "shop" {\n  image = "shop:1"\n}\n'
BOTH = 'service "web" {\n  image = "web:1"\n}\n' + OTHER
TASK = 'task "migrate" {\n  image = "shop:1"\n}\n'
ACCIDENTS = ("", "\n", "# nothing yet\n", "/* nothing */ // at all\n", "service = {}\n")
API = {"name": "api", "image": "api:1"}


def _names(served: Served) -> list[str]:
    (found,) = served.api.all(MILL_DEPLOYMENTS)
    return [each["name"] for each in found["spec"].get("services", [])]


async def _deploy(served: Served, content: str, **query: str) -> Any:
    return await served.http.post("/v1/deploy", content=content, params=query)


@pytest.mark.parametrize("dry_run", ["true", "false"])
@pytest.mark.parametrize("content", ACCIDENTS)
@pytest.mark.parametrize("deployed", [True, False])
async def test_a_file_without_anything_is_refused(serve: Serve, content: str, dry_run: str, *, deployed: bool) -> None:
    async with serve(*([mill_deployment(WEB)] if deployed else [])) as served:
        for query in ({}, {"replaceAll": "true"}, {"force": "true"}):
            refused = await _deploy(served, content, dryRun=dry_run, **query)
            assert (refused.status_code, refused.json()["code"]) == (400, "empty_mill_file")
            assert "?allowEmpty=true" in refused.json()["error"]
            assert refused.json()["summary"].endswith("would remove everything that is deployed")
        assert served.api.requests == []


async def test_an_empty_file_is_deployed_if_that_is_allowed(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        finish_rollouts(served, STATUS)
        assert (await _deploy(served, "", allowEmpty="true")).status_code == 200
        assert _names(served) == []


@pytest.mark.parametrize("content", [OTHER, TASK])
async def test_a_file_that_keeps_no_service_is_refused(serve: Serve, content: str) -> None:
    async with serve(mill_deployment(WEB, API)) as served:
        for query in ({}, {"allowEmpty": "true"}, {"force": "true"}):
            refused = await _deploy(served, content, **query)
            assert (refused.status_code, refused.json()["code"]) == (409, "removes_all_services")
            assert refused.json()["error"].startswith(
                "MillDeployment default/mill has 2 services and the file has none of them"
            )
            assert "--name NAME" in refused.json()["error"]
            assert refused.json()["summary"].endswith("its deploy would remove all")
        planned = await _deploy(served, content, dryRun="true")  # which takes the right to read the resource
        assert "has 2 services (web, api) and" in planned.json()["error"]
        assert {each.verb for each in served.api.requests} == {"get"}
        finish_rollouts(served, STATUS)
        assert (await _deploy(served, content, replaceAll="true")).status_code == 200


async def test_a_file_that_keeps_one_service_is_deployed(serve: Serve) -> None:
    async with serve(mill_deployment(WEB, API)) as served:
        finish_rollouts(served, STATUS)
        assert (await _deploy(served, BOTH)).status_code == 200
        assert _names(served) == ["web", "shop"]


async def test_where_there_is_no_service_any_file_is_deployed(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        finish_rollouts(served, STATUS)
        assert (await _deploy(served, OTHER)).status_code == 200


@pytest.mark.parametrize("cached", [[], [API]], ids=["of nothing", "of others"])
async def test_a_service_that_the_cache_does_not_have_yet_counts(serve: Serve, cached: list[dict[str, Any]]) -> None:
    async with serve(*([mill_deployment(*cached)] if cached else [])) as served:
        newer = mill_deployment(WEB)
        newer["metadata"]["generation"] = 2
        served.api.put(MILL_DEPLOYMENTS, newer)
        assert (await _deploy(served, OTHER)).json()["code"] == "removes_all_services"
        finish_rollouts(served, STATUS)
        assert (await _deploy(served, BOTH)).status_code == 200


async def test_a_plan_is_made_of_what_the_cluster_has(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        newer = mill_deployment(WEB, API)
        newer["metadata"]["generation"] = 2
        served.api.put(MILL_DEPLOYMENTS, newer)
        planned = (await _deploy(served, BOTH, dryRun="true")).json()
        assert planned["base"] == "0123456789abcdef.2"
        assert {each["name"]: each["change"] for each in planned["services"]} == {
            "web": "changed",
            "shop": "added",
            "api": "removed",
        }


async def test_a_plan_names_the_volumes_that_stay(serve: Serve) -> None:
    volumes = [
        {"name": "data", "path": "/data", "size": "1Gi"},
        {"name": "cache", "path": "/cache", "ephemeral": True},
    ]
    async with serve(mill_deployment(WEB, {**API, "volumes": volumes})) as served:
        planned = (await _deploy(served, BOTH, dryRun="true")).json()
        assert planned["volumes_kept"] == ["data"]


async def test_a_deploy_of_a_plan_that_still_holds_is_written(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        finish_rollouts(served, STATUS)
        base = (await _deploy(served, BOTH, dryRun="true")).json()["base"]
        assert (await _deploy(served, BOTH, base=base)).status_code == 200
        again = await _deploy(served, BOTH, base=base)
        assert (again.status_code, again.json()["code"]) == (409, "plan_outdated")


async def test_a_new_resource_is_part_of_the_plan(serve: Serve) -> None:
    async with serve() as served:
        assert (await _deploy(served, OTHER, dryRun="true")).json()["base"] == "new"
        served.api.put(MILL_DEPLOYMENTS, mill_deployment(WEB))
        refused = await _deploy(served, BOTH, base="new")
        assert (refused.status_code, refused.json()["code"]) == (409, "plan_outdated")
        assert [each.verb for each in served.api.requests] == ["create", "create", "get"]


async def test_a_cache_that_is_behind_does_not_refuse_a_plan(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        newer = mill_deployment(WEB)
        newer["metadata"]["generation"] = 2
        served.api.put(MILL_DEPLOYMENTS, newer)
        finish_rollouts(served, STATUS)
        assert (await _deploy(served, BOTH, base="0123456789abcdef.2")).status_code == 200


async def test_writes_of_others_outdate_a_plan_until_the_last_attempt(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        change_before_each_patch(served, mill_deployment(WEB))
        assert (await _deploy(served, BOTH, base="0123456789abcdef.1")).json()["code"] == "plan_outdated"
        assert _names(served) == ["web"]


@pytest.mark.parametrize(
    ("namespace", "refused"),
    [("kube-system", True), ("kube-public", True), ("mill-system", True), ("shop", False), ("kube", False)],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_system_namespace_takes_a_parameter_of_its_own(
    serve: Serve, method: str, namespace: str, *, refused: bool
) -> None:
    path = "/v1/deploy" if method == "POST" else "/v1/deployments/mill"
    async with serve(settings=Settings(own_namespace="mill-system")) as served:
        query = {"namespace": namespace, "dryRun": "true"}
        for more in ({}, {"force": "true"}):
            answer = await served.http.request(method, path, content=OTHER, params=query | more)
            assert (answer.json().get("code") == "system_namespace") == refused
            assert not refused or (answer.status_code, "?system=true" in answer.json()["error"]) == (409, True)
        answer = await served.http.request(method, path, content=OTHER, params=query | {"system": "true"})
        assert answer.status_code == (200 if method == "POST" else 404)


@pytest.mark.parametrize("body", [{"image": "a:1"}, {"file": {"task": "migrate", "text": TASK}}])
async def test_a_run_of_what_is_not_deployed_takes_it_too(serve: Serve, body: dict[str, Any]) -> None:
    async with serve(settings=Settings(own_namespace="mill-system")) as served:
        spawn = partial(served.http.post, "/v1/tasks/spawn", json=body | {"wait": False})
        refused = (await spawn(params={"namespace": "kube-system"})).json()
        assert (refused["code"], refused["summary"]) == (
            "system_namespace",
            "the namespace kube-system belongs to Kubernetes: nothing was changed",
        )
        assert served.api.requests == []
        meant = await spawn(params={"namespace": "kube-system", "system": "true"})
        assert meant.status_code == 200


async def test_a_run_of_a_deployed_task_needs_no_parameter(serve: Serve) -> None:
    async with serve(settings=Settings(own_namespace="mill-system")) as served:
        answer = await served.http.post(
            "/v1/tasks/spawn", json={"task": "migrate"}, params={"namespace": "kube-system"}
        )
        assert answer.json()["code"] == "namespace_not_found"  # which comes after


async def test_the_namespace_that_is_served_by_default_is_no_system_namespace(serve: Serve) -> None:
    settings = Settings(own_namespace="mill-system", default_namespace="mill-system")
    async with serve(settings=settings) as served:
        assert (await _deploy(served, OTHER, dryRun="true")).status_code == 200


async def test_a_managed_resource_is_refused_by_its_owner_first(serve: Serve) -> None:
    body = mill_deployment(WEB)
    body["metadata"]["annotations"] = ARGO
    async with serve(body) as served:
        assert (await _deploy(served, OTHER)).json()["code"] == "managed_by_gitops"


def test_the_right_to_delete_is_asked_by_name() -> None:
    asked = AccessRequest("delete", MILL_DEPLOYMENTS, "shop", "mill")
    assert str(asked) == "delete milldeployments.mill.dev mill in namespace shop"
