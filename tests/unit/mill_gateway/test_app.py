"""The application answers from its caches, and refuses requests until they are synced."""

from tests.support.gateway.objects import mill_deployment
from tests.support.gateway.served import Serve


async def test_lists_come_from_the_caches(serve: Serve) -> None:
    async with serve(mill_deployment(), mill_deployment(name="b"), mill_deployment(namespace="other")) as served:
        answer = await served.http.get("/v1/deployments")
        assert [each["name"] for each in answer.json()] == ["b", "mill"]
        assert served.api.requests == []


async def test_requests_fail_until_the_caches_are_synced(serve: Serve) -> None:
    async with serve() as served:
        served.gateway.stores.pods.reflector.synced.clear()
        answer = await served.http.get("/v1/deployments")
        assert answer.status_code == 503
        assert "pods" in answer.json()["error"]
        ready = await served.http.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "waiting for the first list of pods"})


async def test_every_answer_has_the_callers_or_a_new_request_id(serve: Serve) -> None:
    async with serve() as served:
        given = await served.http.get("/nowhere", headers={"X-Request-Id": "abc-1"})
        assert (given.status_code, given.json()["request_id"]) == (404, "abc-1")
        assert given.headers["X-Request-Id"] == "abc-1"
        made = await served.http.get("/nowhere", headers={"X-Request-Id": "a b"})
        assert made.json()["request_id"] == made.headers["X-Request-Id"] != "a b"
