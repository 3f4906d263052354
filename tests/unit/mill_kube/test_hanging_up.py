"""What reads a stream of the API server leaves no socket behind, even when its event loop ends at once."""

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client as aio

from mill_kube.client import KubeClient
from mill_kube.logs import LogOptions
from mill_kube.resources import PODS
from tests.support import certificates

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'{"type": "ADDED", "object": {}}\n'


@pytest.fixture
def silent_server(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a server with TLS that begins an answer, and then neither goes on nor says goodbye."""
    made = certificates.make(tmp_path, "silent")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made / "tls.crt", made / "tls.key")
    answered: list[ssl.SSLSocket] = []

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                taken = context.wrap_socket(listening.accept()[0], server_side=True)
            except OSError:
                return
            answered.append(taken)  # kept, so that its end is not closed
            taken.recv(65536)
            taken.sendall(HEAD + b"%x\r\n%s\r\n" % (len(EVENT), EVENT))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve, args=(listening,), daemon=True)
        serving.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        serving.join(timeout=10)
    for each in answered:
        each.close()


def watch(client: KubeClient) -> Any:
    return client.watch(PODS, None, resource_version="1")


def follow(client: KubeClient) -> Any:
    return client.logs("n", "web-1", LogOptions("web", follow=True))


@pytest.mark.parametrize("begin", [watch, follow])
def test_a_stream_that_is_left_closes_its_socket(silent_server: str, begin: Callable[[KubeClient], Any]) -> None:
    async def read_one() -> None:
        configuration = aio.Configuration(host=silent_server)
        configuration.verify_ssl = False
        async with KubeClient(configuration) as client, aclosing(begin(client)) as stream:
            await anext(stream)

    asyncio.run(read_one())
    gc.collect()  # a socket that is still open warns here, and warnings are errors
