"""Revisions and rollbacks over HTTP."""

import json
from typing import Any

import pytest

from mill_api.names import ANNOTATION_ASKED
from mill_api.revisions import ANNOTATION_DIGESTS, Asked, read_asked, recorded_asked
from mill_api.versions import version_of
from mill_kube.resources import CONTROLLER_REVISIONS, MILL_DEPLOYMENTS
from mill_objects.json import Json
from tests.support.gateway.objects import mill_deployment, revision
from tests.support.gateway.operator import finish_rollouts
from tests.support.gateway.rivals import change_before_each_patch
from tests.support.gateway.rolled_out import ARGO, STATUS
from tests.support.gateway.served import Serve, Served

ROUTE = "/v1/deployments/mill/revisions"
ROLLBACK = "/v1/deployments/mill/rollback"
FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux"}
FILE = 'service "web" {\n  image = "web:9"\n  port  = 8080\n}\n'


def web(image: str, **more: Any) -> Json:
    return {"name": "web", "image": image, "port": 8080, **more}


def api(image: str) -> Json:
    return {"name": "api", "image": image, "port": 8080}


def keep(served: Served, *bodies: Json) -> None:
    for each in bodies:
        served.api.put(CONTROLLER_REVISIONS, each)


def stored(served: Served) -> Json:
    (found,) = served.api.all(MILL_DEPLOYMENTS)
    return found


def images(served: Served) -> list[str]:
    return [each["image"] for each in stored(served)["spec"]["services"]]


async def test_the_revisions_newest_first(serve: Serve) -> None:
    asked = recorded_asked(Asked("alice", verified=True, source="shop.mill", rollback=1))
    foreign = revision(11, web("web:x"), uid="another")
    async with serve(mill_deployment(web("web:1"))) as served:
        last = revision(10, web("web:1"), annotations={ANNOTATION_ASKED: asked}, result=None)
        keep(served, revision(1, web("web:1")), last, revision(9, web("web:2"), result="Failed"), foreign)
        found = (await served.http.get(ROUTE)).json()
    assert [(each["revision"], each["current"], each["summary"]) for each in found] == [
        (10, True, "in progress"),
        (9, False, "failed"),
        (1, True, "succeeded"),
    ]
    assert [each["changed"] for each in found] == [["web: image 2 → 1"], ["web: image 1 → 2"], None]
    names = ("by", "verified", "source", "rollback")
    assert [found[0][name] for name in names] == ["alice", True, "shop.mill", 1]
    assert [found[1][name] for name in names] == [None, False, None, None]


async def test_one_revision_is_a_file(serve: Serve) -> None:
    async with serve(mill_deployment(web("web:1"))) as served:
        keep(served, revision(1, web("web:1")), revision(2, web("web:2")))
        found = (await served.http.get(f"{ROUTE}/2")).json()
        assert found["file"] == 'service "web" {\n  image = "web:2"\n  port  = 8080\n}\n'
        assert (found["spec"], found["changed"]) == ({"services": [web("web:2")]}, ["web: image 1 → 2"])
        missing = await served.http.get(f"{ROUTE}/7")
        assert (missing.status_code, missing.json()["code"]) == (404, "revision_not_found")
        assert missing.json()["existing"] == ["2", "1"]
        assert (await served.http.get(f"{ROUTE}/0")).status_code == 400
        assert (await served.http.get("/v1/deployments/other/revisions")).json()["code"] == "deployment_not_found"


async def test_revisions_are_compared(serve: Serve) -> None:
    async with serve(mill_deployment(web("web:3"))) as served:
        keep(served, revision(1, web("web:1")), revision(2, web("web:2")), revision(3, {"name": "Web!"}))
        for query, before, after in (("", "web:1", "web:3"), ("?to=2", "web:1", "web:2")):
            found = (await served.http.get(f"{ROUTE}/1/diff{query}")).json()
            assert found["services"][0]["fields"] == [{"path": "image", "before": before, "after": after}]
        assert (await served.http.get(f"{ROUTE}/1/diff?to=7")).json()["code"] == "revision_not_found"
        assert (await served.http.get(f"{ROUTE}/1/diff?to=3")).json()["code"] == "revision_invalid"


async def test_a_deploy_says_who_asked_for_it(serve: Serve) -> None:
    async with serve(mill_deployment(web("web:1"))) as served:
        finish_rollouts(served, STATUS)
        await served.http.post("/v1/deploy?from=shop.mill", content=FILE)
        found = stored(served)
        asked = read_asked(found["metadata"]["annotations"], found["spec"])
        assert asked == Asked("anonymous", verified=True, source="shop.mill")
    async with serve() as served:
        finish_rollouts(served, STATUS)
        await served.http.post("/v1/deploy", content=FILE)
        assert read_asked(stored(served)["metadata"]["annotations"], stored(served)["spec"]) is not None


async def test_a_rollback_streams_its_rollout(serve: Serve) -> None:
    async with serve(mill_deployment(web("web:3"))) as served:
        keep(served, revision(1, web("web:1")), revision(2, web("web:2")), revision(3, web("web:3"), result="Failed"))
        finish_rollouts(served, STATUS)
        answer = await served.http.post(ROLLBACK)
        assert (answer.status_code, images(served)) == (200, ["web:2"])
        assert answer.headers["Mill-Rollout"] == "01234567.2"
        assert '"success": true' in answer.text
        annotations = stored(served)["metadata"]["annotations"]
        assert read_asked(annotations, stored(served)["spec"]) == Asked("anonymous", verified=True, rollback=2)


async def test_a_plan_says_what_goes_back_and_what_does_not(serve: Serve) -> None:
    moved = {name: {ANNOTATION_DIGESTS: json.dumps({"web": f"sha256:{name * 64}"})} for name in "ab"}
    async with serve(mill_deployment(web("web:latest"), api("api:2"))) as served:
        keep(
            served,
            revision(1, web("web:latest", env={"A": "${secret(key)}"}), api("api:1"), annotations=moved["a"]),
            revision(2, web("web:latest"), api("api:2"), annotations=moved["b"]),
        )
        found = (await served.http.post(f"{ROLLBACK}?plan=true&service=web")).json()
        assert (found["target"]["revision"], found["notes"]) == (1, ["secrets have their present values: key"])
        fields = {each["path"]: each["after"] for each in found["services"][0]["fields"]}
        assert fields == {"image": f"web:latest@sha256:{'a' * 64}", "env.A": "${secret(key)}"}
        assert [each["change"] for each in found["services"]] == ["changed", "unchanged"]
        assert images(served) == ["web:latest", "api:2"]
        finish_rollouts(served, STATUS)
        query = f"revision=1&service=web&base={found['base']}"
        assert (await served.http.post(f"{ROLLBACK}?{query}")).status_code == 200
        assert images(served) == [f"web:latest@sha256:{'a' * 64}", "api:2"]
        again = await served.http.post(f"{ROLLBACK}?{query}")
        assert (again.status_code, again.json()["code"]) == (409, "plan_outdated")


async def test_a_plan_says_that_a_migration_of_a_pinned_version_does_not_run_again(serve: Serve) -> None:
    moved = {name: {ANNOTATION_DIGESTS: json.dumps({"web": f"sha256:{name * 64}"})} for name in "ab"}
    task = {"name": "migrate", "image": "web:latest", "before": ["web"]}
    ran = version_of(task, {"web": web("web:latest")})
    status = {"rolloutTasks": [{"name": "migrate", "version": "x", "state": "Succeeded", "succeeded": [ran]}]}
    async with serve(mill_deployment(web("web:latest", env={"A": "1"}), tasks=[task], status=status)) as served:
        keep(served, revision(1, web("web:latest"), tasks=[task], annotations=moved["a"]))
        keep(served, revision(2, web("web:latest", env={"A": "1"}), tasks=[task], annotations=moved["b"]))
        found = (await served.http.post(f"{ROLLBACK}?plan=true")).json()
    assert found["tasks"][0]["fields"][0]["after"] == f"web:latest@sha256:{'a' * 64}"
    assert [(each["task"], each["runs"]) for each in found["rollout_tasks"]] == [("migrate", False)]


async def test_a_base_that_the_cache_has_not_observed_yet_counts(serve: Serve) -> None:
    newer = mill_deployment(web("web:3"), api("api:3"))
    newer["metadata"]["generation"] = 2
    async with serve(mill_deployment(web("web:2"), api("api:2"))) as served:
        keep(served, revision(1, web("web:1"), api("api:1")))
        served.api.put(MILL_DEPLOYMENTS, newer)
        finish_rollouts(served, STATUS | {"rollout": {**STATUS["rollout"], "id": "3"}})
        query = "revision=1&service=web&base=0123456789abcdef.2"
        assert (await served.http.post(f"{ROLLBACK}?{query}")).status_code == 200
        assert images(served) == ["web:1", "api:3"], "of the newest version, and not of the one in the cache"


async def test_without_a_base_a_concurrent_change_is_kept(serve: Serve) -> None:
    async with serve(mill_deployment(web("web:2"), api("api:2"))) as served:
        keep(served, revision(1, web("web:1"), api("api:1")))
        newer = mill_deployment(web("web:3"), api("api:3"))
        newer["metadata"]["generation"] = 2
        served.api.put(MILL_DEPLOYMENTS, newer)
        finish_rollouts(served, STATUS | {"rollout": {**STATUS["rollout"], "id": "3"}})
        assert (await served.http.post(f"{ROLLBACK}?revision=1&service=web")).status_code == 200
        assert images(served) == ["web:1", "api:3"]


async def test_constant_changes_of_others_are_a_conflict(serve: Serve) -> None:
    async with serve(mill_deployment(web("web:2"))) as served:
        keep(served, revision(1, web("web:1")))
        change_before_each_patch(served, mill_deployment(web("web:2")))
        answer = await served.http.post(ROLLBACK)
        assert (answer.status_code, answer.json()["code"]) == (409, "plan_outdated")


@pytest.mark.parametrize(
    ("marks", "owner", "way"),
    [
        ({"annotations": ARGO}, "the Argo CD application shop", "`argocd app rollback shop`"),
        ({"labels": FLUX}, "the Flux Kustomization flux/apps", "`flux reconcile kustomization apps"),
    ],
)
async def test_git_is_what_goes_back(serve: Serve, marks: Json, owner: str, way: str) -> None:
    body = mill_deployment(web("web:2"))
    body["metadata"] |= marks
    async with serve(body) as served:
        keep(served, revision(1, web("web:1")))
        for query in ("", "?plan=true"):
            answer = await served.http.post(ROLLBACK + query)
            assert (answer.status_code, answer.json()["owner"]) == (409, owner)
            assert "revert the commit in Git" in answer.json()["error"]
            assert way in answer.json()["error"]
        assert images(served) == ["web:2"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 409, "no_earlier_revision"),
        ("service=web", 409, "no_earlier_revision"),
        ("revision=7", 404, "revision_not_found"),
        ("revision=1&service=db", 409, "service_not_in_revision"),
        ("service=wbe", 409, "service_not_in_revision"),
        ("revision=2", 409, "revision_invalid"),
        ("revision=x", 400, "invalid_parameters"),
    ],
)
async def test_what_cannot_go_back(serve: Serve, query: str, status: int, code: str) -> None:
    async with serve(mill_deployment(web("web:1"))) as served:
        keep(served, revision(1, web("web:1")), revision(2, web("web:2", after=["db"]), result="Failed"))
        answer = await served.http.post(f"{ROLLBACK}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert images(served) == ["web:1"]
        missing = await served.http.post("/v1/deployments/other/rollback")
        assert missing.json()["code"] == "deployment_not_found"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("revision=1&service=wbe", "revision 1 has no service wbe: there are web, db"),
        ("service=wbe", "no revision that is kept has a service wbe: there are web, db"),
    ],
)
async def test_a_service_that_is_in_no_revision_is_answered_with_those_that_are(
    serve: Serve, query: str, message: str
) -> None:
    async with serve(mill_deployment(web("web:2"))) as served:
        keep(served, revision(1, web("web:1"), {"name": "db", "image": "db:1"}))
        assert (await served.http.post(f"{ROLLBACK}?{query}")).json()["error"] == message


async def test_the_same_revision_is_no_change(serve: Serve) -> None:
    async with serve(mill_deployment(web("web:1"))) as served:
        keep(served, revision(1, web("web:1")))
        assert (await served.http.post(f"{ROLLBACK}?revision=1&plan=true")).json()["changed"] is False
