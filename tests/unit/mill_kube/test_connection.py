"""Environment variables that the client uses when it connects, and those that it ignores."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from kubernetes.aio import client as aio

from mill_kube.client import KubeClient
from mill_kube.resources import PODS


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Server:
    """Answers every request with an empty list, and remembers it."""

    def __init__(self) -> None:
        self.requests: list[web.BaseRequest] = []
        self.address = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.requests.append(request)
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    here = Server()
    runner = web.ServerRunner(web.Server(here.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    here.address = f"http://{host}:{port}"
    yield here
    await runner.cleanup()


async def test_a_netrc_is_not_for_us(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with KubeClient(aio.Configuration(host=server.address)) as client:
        await client.list(PODS, "default")
    assert "Authorization" not in server.requests[0].headers


async def test_a_proxy_that_the_environment_names_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    async with KubeClient(aio.Configuration(host="http://api.example")) as client:
        await client.list(PODS, "default")
    assert server.requests[0].headers["Host"] == "api.example"


async def test_but_not_for_a_server_that_it_excepts(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with KubeClient(aio.Configuration(host=server.address)) as client:
        await client.list(PODS, "default")
    assert server.requests
