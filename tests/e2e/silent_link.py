"""A way to the API server that can fall silent: connections stay open, and nothing passes any more."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

READ_SIZE = 65536


class SilentLink:
    """A TCP proxy in a thread of its own. What it has swallowed while it was silent never arrives."""

    def __init__(self, kubeconfig: Path, file: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        where = config["clusters"][0]["cluster"]
        server = urlsplit(where["server"])
        self._host, self._port = server.hostname or "", server.port or 443
        self._passes = threading.Event()
        self._passes.set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        where["server"] = f"{server.scheme}://127.0.0.1:{self._own_port}"
        where["tls-server-name"] = self._host
        file.write_text(json.dumps(config))
        self.kubeconfig = file

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Swallow everything while the block runs."""
        self._passes.clear()
        try:
            yield
        finally:
            self._passes.set()

    def close(self) -> None:
        """End every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self._own_port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        swallowed = False
        try:
            while data := await reader.read(READ_SIZE):
                # A stream of which a part is missing is of no use any more: it stays silent.
                swallowed = swallowed or not self._passes.is_set()
                if not swallowed:
                    writer.write(data)
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
