"""Volumes over HTTP: listed, and deleted if no service mounts them."""

import pytest

from mill_kube.resources import CLAIMS
from tests.support.gateway.objects import claim, pod
from tests.support.gateway.served import Serve


async def test_volumes(serve: Serve) -> None:
    objects = (claim("data", "db"), pod("db", claims=("data",)), claim("old", "gone"))
    async with serve(*objects) as served:
        data, old = (await served.http.get("/v1/volumes")).json()
        assert served.api.requests == []
    assert data == {
        "name": "data",
        "state": "attached",
        "node": "node-1",
        "cloud_id": "pv-data",
        "namespace": "default",
        "deployment": "mill",
        "service": "db",
        "size": "5Gi",
        "size_bytes": 5368709120,
        "phase": "Bound",
    }
    assert (old["state"], old["node"]) == ("ready", None)


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("data", 409, "volume is attached"),
        ("nope", 404, "volume not found"),
        ("leaving", 404, "volume not found"),
        ("of-others", 404, "volume not found"),
    ],
)
async def test_a_volume_that_is_not_deleted(serve: Serve, name: str, status: int, error: str) -> None:
    leaving = claim("leaving", "db")
    leaving["metadata"]["deletionTimestamp"] = "2026-02-14T10:00:02Z"
    others = claim("of-others", "db", namespace="other")
    async with serve(claim("data", "db"), pod("db", claims=("data",)), leaving, others) as served:
        answer = await served.http.delete(f"/v1/volumes/{name}")
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert served.api.requests == []


async def test_a_volume_is_attached_whichever_service_mounts_it(serve: Serve) -> None:
    """One that has moved to another service of the file, say, whose old service is not yet gone."""
    async with serve(claim("data", "db"), pod("other", claims=("data",))) as served:
        (data,) = (await served.http.get("/v1/volumes")).json()
        assert (data["state"], data["node"]) == ("attached", "node-1")
        answer = await served.http.delete("/v1/volumes/data")
        assert (answer.status_code, answer.json()["pod"]) == (409, "other-0")
        served.have(pod("other", claims=("data",), deletionTimestamp="2026-02-14T10:00:02Z"))
        assert (await served.http.get("/v1/volumes")).json()[0]["state"] == "attached"
        served.lose("Pod", "default", "other-0")
        assert (await served.http.get("/v1/volumes")).json()[0]["state"] == "ready"
        assert len(served.gateway.stores.mounts) == 0


async def test_a_volume_that_is_being_deleted_is_shown_as_such(serve: Serve) -> None:
    leaving = claim("data", "db")
    leaving["metadata"]["deletionTimestamp"] = "2026-02-14T10:00:02Z"
    async with serve(leaving) as served:
        (data,) = (await served.http.get("/v1/volumes")).json()
        assert data["phase"] == "Terminating"


async def test_a_volume_is_deleted_by_its_uid(serve: Serve) -> None:
    ended = pod("db", claims=("data",), phase="Succeeded", ready=False)
    async with serve(claim("data", "db"), ended) as served:
        assert (await served.http.delete("/v1/volumes/data")).status_code == 204
        (asked,) = served.api.requests
        assert (asked.name, asked.body["preconditions"]) == ("data", {"uid": "uid-of-default-data"})
        assert served.api.all(CLAIMS) == []
