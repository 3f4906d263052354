"""What logs cost whose readers take nothing: `python -m tests.bench.slow_logs [--streams N] [--replicas N]`.

A gateway in this process, in front of a server (a process of its own) that gives every log lines of 64 KiB without end,
over TLS as an API server does. The readers ask, and take no byte of the answer.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import ssl
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import web
from kubernetes.aio import client as aio

from mill_gateway.app import create_app
from mill_gateway.gateway import Gateway
from mill_gateway.settings import Settings
from mill_kube.client import KubeClient
from tests.bench import process
from tests.bench.figures import heading, row
from tests.support.apiserver import ApiServer
from tests.support.certificates import make
from tests.support.gateway.objects import mill_deployment, pod
from tests.support.gateway.served import Served
from tests.support.gateway.serving import serving

LINE: Final = b"2026-02-14T10:00:01Z " + b"x" * 65_000 + b"\n"
SECONDS: Final = 15


async def endless(request: web.Request) -> web.StreamResponse:
    """Answer with lines as fast as they are taken."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    with contextlib.suppress(ConnectionError):
        while request.query.get("follow") == "true":
            await answer.write(LINE)
    return answer


async def api_server(folder: Path) -> None:
    """Serve logs for ever; print the port."""
    app = web.Application()
    app.router.add_get("/{path:.*}", endless)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


async def ask(port: int, replica: int | None) -> socket.socket:
    """Ask for a log, and read nothing."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(reader, ("127.0.0.1", port))
    name = "web" if replica is None else f"web-{replica}"
    await loop.sock_sendall(reader, f"GET /v1/logs/{name}?tail=0 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return reader


async def measure(streams: int, replicas: int, folder: Path, port: int) -> None:
    """Open the streams, and look at the memory."""
    target = aio.Configuration(host=f"https://127.0.0.1:{port}")
    target.ssl_ca_cert = str(folder / "tls.crt")
    most = streams * replicas
    settings = Settings(max_log_streams=most, max_log_streams_per_caller=most)
    async with KubeClient(target, connections=0) as client:
        gateway = Gateway.of(settings, client)
        for reflector in gateway.stores.reflectors:
            reflector.synced.set()
        known = Served(gateway, ApiServer(), cast("Any", None))
        known.have(mill_deployment({"name": "web", "image": "web:1"}), *(pod("web", str(n)) for n in range(replicas)))
        app = create_app(settings, gateway)
        async with serving(app) as served:
            before = process.resident_mib(os.getpid())
            readers = [await ask(served.port, None) for _ in range(streams)]
            await asyncio.sleep(SECONDS)
            after = process.resident_mib(os.getpid())
            heading(f"{streams} streams of {replicas} replicas, 64 KiB lines, nobody reads; MiB", "before", "after")
            row("resident memory", before, after)
            row("for each replica that is read, KiB", str(round((after - before) * 1024 / most)))
            for each in readers:
                each.close()
            await asyncio.sleep(1)  # for the streams to end


async def main(streams: int, replicas: int) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = make(Path(name), "api")
        command = (sys.executable, "-m", "tests.bench.slow_logs", "--serve", str(folder))
        api = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        try:
            assert api.stdout is not None
            await measure(streams, replicas, folder, int(await api.stdout.readline()))
        finally:
            api.kill()
            await api.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=30)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    asyncio.run(api_server(options.serve) if options.serve else main(options.streams, options.replicas))
