"""The operator's way to the API server, with the test's hand on it: a proxy that speaks plain HTTP to the operator."""

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from hack.cluster import Cluster
from mill_kube.client import KubeClient
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_process.listening import authority
from tests.e2e.conftest import wait_for

from .background import beside

EVERYTHING = "/"
WATCH_OF_MILL_DEPLOYMENTS = MILL_DEPLOYMENTS.path(None)
"""The beginning of every list and watch of MillDeployments, and of nothing else that the operator asks."""


class Link:
    """A proxy to a cluster's API server. Its public methods are for the test's thread."""

    def __init__(self, cluster: Cluster, kubeconfig: Path, delay: float = 0.0, address: str = "127.0.0.1") -> None:
        self.delay = delay
        """Seconds that each request waits before the server has it."""
        self._address = address
        self.environment = {"KUBECONFIG": str(kubeconfig)}
        """What makes a process use it."""
        self.ready = threading.Event()
        self._context = cluster.context
        self._kubeconfig = kubeconfig
        self._refused: str | None = None
        self._open: dict[asyncio.Task[None], web.BaseRequest] = {}

    @contextlib.contextmanager
    def cut(self, paths: str = EVERYTHING) -> Iterator[None]:
        """Break off what asks for paths that begin so, and refuse it while the block runs."""
        self._refused = paths
        self._break_off(paths, cleanly=False)
        try:
            yield
        finally:
            self._refused = None

    def end_watches(self) -> None:
        """End all watches as the server does when their time is up: with a proper last chunk."""
        self._break_off(EVERYTHING, cleanly=True)

    async def serve(self) -> None:
        """Serve until canceled."""
        async with await KubeClient.connect(self._context) as client:
            known = client.configuration
            trust = ssl.create_default_context(cafile=known.ssl_ca_cert)
            if known.cert_file:
                trust.load_cert_chain(known.cert_file, known.key_file)
            token = await known.get_api_key_with_prefix("BearerToken")
            self._loop, self._server = asyncio.get_running_loop(), known.host
            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=trust, limit=0),
                headers={"Authorization": token} if token else {},
                timeout=aiohttp.ClientTimeout(total=None),
            ) as self._session:
                runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
                await runner.setup()
                try:
                    await web.TCPSite(runner, self._address, 0).start()
                    self._write_kubeconfig(runner.addresses[0][1])
                    self.ready.set()
                    await asyncio.Event().wait()
                finally:
                    await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._refused is not None and request.path.startswith(self._refused):
            _abort(request)
            return web.Response()
        url = URL(self._server + request.path_qs, encoded=True)
        headers = {name: request.headers[name] for name in ("Accept", "Content-Type") if name in request.headers}
        body = await request.read()
        await asyncio.sleep(self.delay)
        async with self._session.request(request.method, url, data=body or None, headers=headers) as answer:
            response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
            await response.prepare(request)
            copying = asyncio.create_task(_copy(answer, response))
            self._open[copying] = request
            try:
                await asyncio.wait({copying})
            finally:
                copying.cancel()
                del self._open[copying]
        return response

    def _break_off(self, paths: str, *, cleanly: bool) -> None:
        async def break_off() -> None:
            for copying, request in self._open.items():
                if request.path.startswith(paths):
                    copying.cancel()
                    if not cleanly:
                        _abort(request)

        asyncio.run_coroutine_threadsafe(break_off(), self._loop).result()

    def _write_kubeconfig(self, port: int) -> None:
        name = self._context or "link"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": f"http://{authority(self._address, port)}"}}],
            "users": [{"name": name, "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
        self._kubeconfig.write_text(json.dumps(document))


@contextlib.contextmanager
def linked(cluster: Cluster, folder: Path, delay: float = 0.0, address: str = "127.0.0.1") -> Iterator[Link]:
    """Serve a link while the block runs, at an address of this machine."""
    link = Link(cluster, folder / "link.kubeconfig", delay, address)
    with beside(link.serve()):
        wait_for("the link", link.ready.is_set)
        yield link


async def _copy(answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
    # Whoever of the two goes away first: the other sees a connection that is broken off.
    with contextlib.suppress(aiohttp.ClientError, ConnectionError):
        async for part in answer.content.iter_any():
            await response.write(part)


def _abort(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()
