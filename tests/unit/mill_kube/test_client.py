"""Requests are sent as Kubernetes expects them, told to the observer, and withheld from who may not write."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio import client as aio

from mill_kube.calls import Call
from mill_kube.client import KubeClient
from mill_kube.connection import LOG_BUFFER
from mill_kube.errors import NotFound, Unreachable, WatchStalled, WriteFenced
from mill_kube.logs import LogOptions
from mill_kube.resources import DEPLOYMENTS, LEASES, MILL_DEPLOYMENTS, PODS

BODY = {"metadata": {"name": "web", "namespace": "n"}}


class Server:
    """Answers everything with the next of `codes`, or 200."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.requests: list[str] = []
        self.observed: list[tuple[Call, int | None]] = []
        self.over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if request.query.get("watch"):
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b'{"type": "ADDED", "object": {}}\n')
            await self.over.wait()
            return response
        if request.path.endswith("/log"):
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(512):
                await response.write(b"x" * 1024 * 64)
            if request.query.get("container") == "hanging":
                await self.over.wait()
            return response
        return web.json_response({"items": []}, status=self.codes.pop(0) if self.codes else 200)

    def observe(self, call: Call, code: int | None, seconds: float) -> None:
        assert seconds >= 0
        self.observed.append((call, code))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def connect(server: Server) -> AsyncIterator[Callable[..., KubeClient]]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    clients = []
    async with TestServer(app) as listening:

        def make(**options: Any) -> KubeClient:
            configuration = aio.Configuration(host=str(listening.make_url("")).rstrip("/"))
            clients.append(KubeClient(configuration, observe=server.observe, **options))
            return clients[-1]

        yield make
        for client in clients:
            await client.close()
        server.over.set()


async def test_every_request_is_observed_in_the_terms_of_access_rules(server: Server, connect: Any) -> None:
    client = connect()
    await client.get(DEPLOYMENTS, "n", "web")
    await client.list(PODS, None)
    await client.create(LEASES, "n", BODY, manager="m")
    await client.update(LEASES, "n", BODY, manager="m")
    await client.apply(DEPLOYMENTS, "n", BODY, manager="m")
    await client.json_patch(MILL_DEPLOYMENTS, "n", "web", [], manager="m")
    await client.replace_status(MILL_DEPLOYMENTS, "n", "web", {}, uid="u", manager="m")
    await client.delete(PODS, "n", "web", uid="u")
    async for _ in client.watch(PODS, "n", resource_version="1"):
        break
    assert [call for call, _ in server.observed] == [
        Call("get", DEPLOYMENTS),
        Call("list", PODS),
        Call("create", LEASES),
        Call("update", LEASES),
        Call("patch", DEPLOYMENTS),
        Call("patch", MILL_DEPLOYMENTS),
        Call("patch", MILL_DEPLOYMENTS, "status"),
        Call("delete", PODS),
        Call("watch", PODS),
    ]
    assert {code for _, code in server.observed} == {200}
    assert server.requests == [
        "GET /apis/apps/v1/namespaces/n/deployments/web",
        "GET /api/v1/pods",
        "POST /apis/coordination.k8s.io/v1/namespaces/n/leases",
        "PUT /apis/coordination.k8s.io/v1/namespaces/n/leases/web",
        "PATCH /apis/apps/v1/namespaces/n/deployments/web",
        "PATCH /apis/mill.dev/v1alpha1/namespaces/n/milldeployments/web",
        "PATCH /apis/mill.dev/v1alpha1/namespaces/n/milldeployments/web/status",
        "DELETE /api/v1/namespaces/n/pods/web",
        "GET /api/v1/namespaces/n/pods",
    ]


async def test_refusals_and_silence_are_observed_too(server: Server) -> None:
    nobody = KubeClient(aio.Configuration(host="http://127.0.0.1:9"), observe=server.observe)
    with pytest.raises(Unreachable):
        await nobody.get(PODS, "n", "web")
    await nobody.close()
    assert server.observed == [(Call("get", PODS), None)]


async def test_a_refusal_is_observed_with_its_code(server: Server, connect: Any) -> None:
    server.codes = [404]
    with pytest.raises(NotFound):
        await connect().get(PODS, "n", "web")
    assert server.observed == [(Call("get", PODS), 404)]


async def test_a_fenced_client_still_reads(server: Server, connect: Any) -> None:
    client = connect(may_write=lambda: False)
    for write in (
        client.create(LEASES, "n", BODY, manager="m"),
        client.update(LEASES, "n", BODY, manager="m"),
        client.apply(DEPLOYMENTS, "n", BODY, manager="m"),
        client.replace_status(MILL_DEPLOYMENTS, "n", "web", {}, uid="u", manager="m"),
        client.delete(PODS, "n", "web", uid="u"),
    ):
        with pytest.raises(WriteFenced):
            await write
    assert server.requests == []
    assert server.observed == []
    await client.list(PODS, "n")
    assert server.requests == ["GET /api/v1/namespaces/n/pods"]


async def test_a_watch_that_says_nothing_is_given_up(connect: Any) -> None:
    events = connect(stall_seconds=0.05).watch(PODS, "n", resource_version="1")
    assert (await anext(events))["type"] == "ADDED"
    with pytest.raises(WatchStalled, match=r"silent for 0\.05 s"):
        await anext(events)


@pytest.mark.parametrize(
    ("call", "target"),
    [
        (Call("get", PODS), "pods"),
        (Call("get", DEPLOYMENTS), "deployments.apps"),
        (Call("patch", MILL_DEPLOYMENTS, "status"), "milldeployments.mill.dev/status"),
    ],
)
def test_the_target_of_a_call_is_named_as_by_kubectl(call: Call, target: str) -> None:
    assert call.target == target


async def test_a_slow_reader_of_a_log_is_not_cut_off(
    connect: Callable[..., KubeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_kube.connection.REQUEST_TIMEOUT", 1.0)
    size = chunks = 0
    async for chunk in connect().logs("n", "web-0", LogOptions("web")):
        size += len(chunk)
        chunks += 1
        assert len(chunk) <= LOG_BUFFER
        if chunks % 1000 == 0:
            await asyncio.sleep(1.5)
    assert size == 512 * 64 * 1024


async def test_a_log_without_an_end_is_closed(
    server: Server, connect: Callable[..., KubeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_kube.connection.REQUEST_TIMEOUT", 0.1)

    async def read() -> None:
        async for _ in connect().logs("n", "web-0", LogOptions("hanging")):
            pass

    with pytest.raises(Unreachable, match="cut off"):
        await asyncio.wait_for(read(), 2)
    server.over.set()


async def test_the_version_has_a_path_of_its_own(server: Server, connect: Callable[..., KubeClient]) -> None:
    await connect().server_version()
    assert server.requests == ["GET /version"]
