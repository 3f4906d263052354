"""The gateway as a process, with a fake API server: odd objects, and watches that end."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from mill_objects.json import Json
from tests.support.gateway.objects import claim, job, mill_deployment, node, pod

GATEWAY = ("-m", "mill_gateway")
BROKEN = (
    "-c",
    """
import asyncio, sys
from mill_kube.reflector import Reflector
from mill_gateway.main import run

follow, how = Reflector.run, sys.argv.pop()

async def broken(self):
    if self.resource.plural != "jobs":
        await follow(self)
    await asyncio.sleep(0.5)
    if how == "by-an-error":
        raise TypeError("a fault of ours")

Reflector.run = broken
run()
""",
)
"""The same with a watch that ends."""


class ApiServer:
    """Has lists by plural, and watches that say nothing but what a test puts into `events`."""

    def __init__(self, *bodies: Json) -> None:
        self.lists: dict[str, list[Any]] = {}
        for body in bodies:
            plural = {"MillDeployment": "milldeployments", "PersistentVolumeClaim": "persistentvolumeclaims"}
            self.lists.setdefault(plural.get(body["kind"], f"{body['kind'].lower()}s"), []).append(body)
        self.events: asyncio.Queue[Json] = asyncio.Queue()
        """Of pods, to one of the watches."""
        self._over = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")
            self._over.set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        plural = request.path.rpartition("/")[2]
        if "watch" not in request.query:
            metadata = {"resourceVersion": "5000"}
            return web.json_response({"items": self.lists.get(plural, []), "metadata": metadata})
        response = web.StreamResponse()
        await response.prepare(request)
        if plural == "pods" and "fieldSelector" in request.query:
            while True:
                await response.write(json.dumps(await self.events.get()).encode() + b"\n")
        await self._over.wait()
        return response


class Process:
    """A gateway that runs."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5)

    async def get(self, path: str, status: int = 200) -> Any:
        """Ask until it answers so."""
        answer: httpx.Response | None = None
        async with asyncio.timeout(30):
            while answer is None or answer.status_code != status:
                assert self.process.returncode is None
                with contextlib.suppress(httpx.TransportError):
                    answer = await self.http.get(path)
                await asyncio.sleep(0.05)
        return answer.json()

    async def ended(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and its log."""
        async with asyncio.timeout(30):
            _, log = await self.process.communicate()
        return self.process.returncode or 0, log.decode()


@asynccontextmanager
async def running(server: ApiServer, folder: Path, *command: str) -> AsyncIterator[Process]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with server.listening() as address:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": address}}],
            "users": [{"name": "it", "user": {"token": "none"}}],
        }
        (folder / "config").write_text(yaml.safe_dump(config))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MILL_", "KUBE"))},
            "KUBECONFIG": str(folder / "config"),
            "MILL_LISTEN_PORT": str(port),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=environment, stderr=asyncio.subprocess.PIPE
        )
        gateway = Process(process, port)
        try:
            yield gateway
        finally:
            await gateway.http.aclose()
            if process.returncode is None:
                process.terminate()
                await gateway.ended()


async def test_one_object_costs_one_object(tmp_path: Path) -> None:
    """A pod with cpu "+1" once stopped the gateway for all callers, without a line in the log."""
    unnamed = pod("odd")
    del unnamed["metadata"]["uid"]
    bare = {"kind": "Pod", "metadata": pod("bare")["metadata"], "spec": {"nodeName": "node-1", "containers": None}}
    server = ApiServer(
        *(mill_deployment({"name": "web", "image": "web:1"}), claim("data", "web"), job("migrate-1", "migrate")),
        *(node(), pod("web", cpu="+1"), unnamed, bare),
    )
    async with running(server, tmp_path, *GATEWAY) as gateway:
        await gateway.get("/readyz")
        (shown,) = await gateway.get("/v1/nodes")
        assert (shown["cpu_available"], shown["pod_count"]) == (3.0, 2)
        await server.events.put({"type": "ADDED", "object": pod("api", cpu="+5e-1")})
        await server.events.put({"type": "ADDED", "object": {"metadata": None, "spec": 5}})
        await server.events.put({"type": "ADDED", "object": pod("worker", cpu="1e")})
        async with asyncio.timeout(10):
            while shown["pod_count"] != 4:
                (shown,) = await gateway.get("/v1/nodes")
        assert shown["cpu_available"] == 2.5
        (service,) = await gateway.get("/v1/services")
        assert [each["cpu"] for each in service["allocations"]] == [1.0]
        await gateway.get("/healthz")
        gateway.process.terminate()
        _, log = await gateway.ended()
    lines = [line for line in log.splitlines() if "cannot be read" in line]
    assert sum("'default/odd-0' cannot be read, and is left out: no metadata.uid" in line for line in lines) == 2
    assert len(lines) == 3  # of two watches, and the one without metadata
    assert "ERROR" not in log


@pytest.mark.parametrize("how", ["by-an-error", "by-returning"])
async def test_a_watch_that_ends_ends_the_process(tmp_path: Path, how: str) -> None:
    async with running(ApiServer(), tmp_path, *BROKEN, how) as gateway:
        code, log = await gateway.ended()
    assert code == 1
    assert " ERROR   mill_process.supervision: the watch of jobs.batch: " in log
    assert "exiting: the watch of jobs.batch has ended" in log
    assert ("TypeError: a fault of ours" in log) == (how == "by-an-error")
