"""The application answers from what it has watched, and says so while it has not."""

from .conftest import Serve
from .objects import mill_deployment


async def test_it_lists_what_it_has_watched(served: Serve) -> None:
    async with served(mill_deployment(), mill_deployment(name="b"), mill_deployment(namespace="other")) as recorded:
        answer = await recorded.http.get("/v1/deployments")
        assert [each["name"] for each in answer.json()] == ["b", "mill"]
        assert recorded.kube.requests == []


async def test_until_it_knows_the_cluster_it_says_so(served: Serve) -> None:
    async with served() as recorded:
        recorded.gateway.stores.pods.reflector.synced.clear()
        answer = await recorded.http.get("/v1/deployments")
        assert answer.status_code == 503
        assert "pods" in answer.json()["error"]
        ready = await recorded.http.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "waiting for the first list of pods"})


async def test_every_answer_has_the_request_id_of_the_caller_or_one_of_its_own(served: Serve) -> None:
    async with served() as recorded:
        given = await recorded.http.get("/nowhere", headers={"X-Request-Id": "abc-1"})
        assert (given.status_code, given.json()["request_id"]) == (404, "abc-1")
        assert given.headers["X-Request-Id"] == "abc-1"
        made = await recorded.http.get("/nowhere", headers={"X-Request-Id": "a b"})
        assert made.json()["request_id"] == made.headers["X-Request-Id"] != "a b"
