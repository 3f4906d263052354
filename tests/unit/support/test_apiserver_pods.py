"""The in-memory API server: logs that a test writes, evictions that it lets fail, tokens that it issues."""

import asyncio
from typing import Any

import pytest

from mill_kube.connection import Request
from mill_kube.errors import ApiError, Unreachable
from mill_kube.logs import LogOptions
from mill_kube.resources import NODES, PODS, TOKEN_REVIEWS
from tests.support.apiserver import ApiServer, ContainerLog, InMemoryClient, Token

LINES = [f"2026-02-14T10:00:0{second}Z {second}\n".encode() for second in range(4)]


@pytest.fixture
def server() -> ApiServer:
    server = ApiServer()
    spec = {"nodeName": "node-1", "containers": [{"name": "web"}]}
    server.put(PODS, {"metadata": {"name": "web-0", "namespace": "shop"}, "spec": spec})
    return server


async def _read(server: ApiServer, **options: Any) -> list[bytes]:
    return [each async for each in InMemoryClient(server).logs("shop", "web-0", LogOptions("web", **options))]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, LINES),
        ({"tail": 1}, LINES[3:]),
        ({"tail": 9}, LINES),
        ({"since": "2026-02-14T10:00:02Z"}, LINES[2:]),
        ({"previous": True}, [b"before\n"]),
    ],
)
async def test_a_log_has_the_lines_of_its_options(
    server: ApiServer, options: dict[str, Any], expected: list[bytes]
) -> None:
    server.logs["shop", "web-0"] = ContainerLog(LINES, [b"before\n"]).read
    assert await _read(server, **options) == expected


async def test_a_log_is_followed_until_its_connection_ends(server: ApiServer) -> None:
    log = ContainerLog(LINES[:1])
    server.logs["shop", "web-0"] = log.read
    reading = asyncio.create_task(_read(server, follow=True))
    await asyncio.sleep(0.01)
    assert (reading.done(), server.open_logs) == (False, 1)
    await log.write(LINES[1])
    await log.write(LINES[2], end=True)
    assert (await reading, server.open_logs) == (LINES[:3], 0)


async def test_a_container_that_has_not_started_has_no_log(server: ApiServer) -> None:
    with pytest.raises(ApiError, match="waiting to start"):
        await _read(server)
    server.logs["shop", "web-0"] = ContainerLog(LINES).read
    with pytest.raises(ApiError, match="previous terminated container"):
        await _read(server, previous=True)
    server.add_fault("log", error=Unreachable("cut off"))
    with pytest.raises(Unreachable):
        await _read(server)


async def test_a_long_chunk_of_a_log_comes_in_parts(server: ApiServer) -> None:
    server.logs["shop", "web-0"] = ContainerLog([b"x" * 40_000 + b"\n"]).read
    parts = await _read(server)
    assert (len(parts), sum(map(len, parts))) == (3, 40_001)


async def test_an_eviction_can_be_refused_apart_from_other_creations(server: ApiServer) -> None:
    client = InMemoryClient(server)
    server.add_fault("evict", times=1, error=ApiError(429, "TooManyRequests", "a budget"))
    server.put(NODES, {"metadata": {"name": "node-1"}})
    eviction = Request("create", PODS, "shop", "web-0", "eviction", body={})
    with pytest.raises(ApiError, match="a budget"):
        await client.request(eviction)
    assert server.find(PODS, "shop", "web-0") is not None
    await client.request(eviction)
    assert server.find(PODS, "shop", "web-0") is None
    assert [each.name for each in server.sent("evict")] == ["web-0", "web-0"]


async def test_a_token_is_valid_for_its_audiences(server: ApiServer) -> None:
    server.accounts.tokens |= {"a": Token({"username": "bot"}), "b": Token({"username": "bot"}, ("mill", "press"))}

    async def audiences(token: str, *asked: str) -> Any:
        spec = {"token": token, **({"audiences": list(asked)} if asked else {})}
        review = await InMemoryClient(server).request(Request("create", TOKEN_REVIEWS, body={"spec": spec}))
        return review["status"].get("audiences")

    assert await audiences("a") == ["https://kubernetes.default.svc"]
    assert await audiences("a", "mill") is None
    assert await audiences("b") is None
    assert await audiences("b", "mill", "other") == ["mill"]
