"""A registry that fails on purpose: the first part of a repository's name says how.

`127.0.0.1:PORT/half-pushed/web:1` has a manifest and lacks the layer, and so on. containerd pulls from loopback over
plain HTTP, so that a thread of the test can be the registry. `recovering/…` answers 503 at first, and then what the
real registry has; `private/…` has the same for the right password.
"""

import base64
import contextlib
import gzip
import hashlib
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.support.http_servers import serving

RECOVERY_SECONDS: Final = 5.0
"""Shorter than the kubelet's first pause between two attempts."""

USER, PASSWORD = "shop-ci", "pull-w0rd"
"""The credentials of `private/…`."""

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, content: bytes, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content), **more}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


_LAYER_CONTENT: Final = b"a layer that nobody has ever pushed"
_CONFIG_CONTENT: Final = _json(
    {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/web"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(_LAYER_CONTENT)]},
    }
)
_MANIFEST_CONTENT: Final = _json(
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, _CONFIG_CONTENT),
        "layers": [_descriptor(LAYER, _LAYER_CONTENT)],
    }
)
_ARCHIVE_CONTENT: Final = gzip.compress(bytes(1024), mtime=0)
"""A layer without files: an empty archive."""
_MISMATCHED_CONTENT: Final = _json(
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, _CONFIG_CONTENT),
        "layers": 2 * [_descriptor(LAYER, _ARCHIVE_CONTENT)],
    }
)
_INDEX_CONTENT: Final = _json(
    {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            _descriptor(MANIFEST, _MANIFEST_CONTENT, platform={"os": "linux", "architecture": "s390x"}),
        ],
    }
)


_TLS_RECORD: Final = b"\x16"
"""How the first message of TLS begins."""


class _Answer(BaseHTTPRequestHandler):
    """Answers one request by the repository's first part."""

    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _, _, path = self.path.partition("/v2/")
        if not path:
            self._send(200, b"{}")
        else:
            _FAULTS[path.partition("/")[0]](self, path)

    do_HEAD = do_GET  # noqa: N815 - http.server's own names

    def handle(self) -> None:
        """Answer; who tries TLS first, as containerd 2 does, learns in plain HTTP that this is none."""
        if self.connection.recv(1, socket.MSG_PEEK) == _TLS_RECORD:
            self.connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        else:
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Say nothing: what matters is what the kubelet says."""

    def _send(self, status: int, body: bytes, media_type: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if status == 200:
            self.send_header("Docker-Content-Digest", _digest(body))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _error(self, status: int, code: str, message: str, **headers: str) -> None:
        self._send(status, _json({"errors": [{"code": code, "message": message}]}), **headers)

    def unauthorized(self, _path: str) -> None:
        self._error(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate='Basic realm="registry"')

    def forbidden(self, _path: str) -> None:
        self._error(403, "DENIED", "requested access to the resource is denied")

    def too_many_requests(self, _path: str) -> None:
        self._error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit.")

    def broken(self, _path: str) -> None:
        self._error(500, "UNKNOWN", "unknown error")

    def silent(self, _path: str) -> None:
        self.server.ending.wait()
        self.close_connection = True

    def half_pushed(self, path: str) -> None:
        if "/manifests/" in path:
            self._send(200, _MANIFEST_CONTENT, MANIFEST)
        elif path.endswith(_digest(_CONFIG_CONTENT)):
            self._send(200, _CONFIG_CONTENT, "application/octet-stream")
        else:
            self._error(404, "BLOB_UNKNOWN", "blob unknown to registry")

    def unknown_format(self, _path: str) -> None:
        self._send(200, _MANIFEST_CONTENT, "application/vnd.example.manifest.v9+json")

    def mismatched(self, path: str) -> None:
        """Have two layers where the configuration has one."""
        if "/manifests/" in path:
            self._send(200, _MISMATCHED_CONTENT, MANIFEST)
        elif path.endswith(_digest(_CONFIG_CONTENT)):
            self._send(200, _CONFIG_CONTENT, "application/octet-stream")
        else:
            self._send(200, _ARCHIVE_CONTENT, "application/octet-stream")

    def other_platform(self, path: str) -> None:
        self._send(200, _INDEX_CONTENT, INDEX)

    def empty(self, _path: str) -> None:
        self._error(404, "NAME_UNKNOWN", "repository name not known to registry")

    def verbose(self, _path: str) -> None:
        """Let the manifest be looked up, and refuse it with more words than anybody reads."""
        if self.command == "HEAD":
            self._send(200, _MANIFEST_CONTENT, MANIFEST)
        else:
            self._error(403, "DENIED", "\x1b[2J\u202e\x9b" + "a" * 60_000)

    def recovering(self, path: str) -> None:
        if self.server.has_recovered():
            self._pass_on(path)
        else:
            self._error(503, "UNAVAILABLE", "try again later")

    def private(self, path: str) -> None:
        """Have what the real registry has, for who knows the password."""
        if self.headers["Authorization"] == f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}":
            self._pass_on(path)
        else:
            self.unauthorized(path)

    def _pass_on(self, path: str) -> None:
        real = f"http://{self.server.upstream}/v2/{path.partition('/')[2]}"
        accepted = f"{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json, */*"
        with urllib.request.urlopen(urllib.request.Request(real, headers={"Accept": accepted}), timeout=10) as answer:
            self._send(200, answer.read(), answer.headers["Content-Type"])


_FAULTS: Final[dict[str, Callable[[_Answer, str], None]]] = {
    "unauthorized": _Answer.unauthorized,
    "forbidden": _Answer.forbidden,
    "too-many-requests": _Answer.too_many_requests,
    "broken": _Answer.broken,
    "silent": _Answer.silent,
    "half-pushed": _Answer.half_pushed,
    "unknown-format": _Answer.unknown_format,
    "mismatched": _Answer.mismatched,
    "other-platform": _Answer.other_platform,
    "empty": _Answer.empty,
    "verbose": _Answer.verbose,
    "recovering": _Answer.recovering,
    "private": _Answer.private,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.upstream = upstream
        self.ending = threading.Event()
        """Set when the registry stops: who has been kept waiting may go."""
        self._recovers_at: float | None = None

    def has_recovered(self) -> bool:
        """Tell whether the first request came long enough ago."""
        if self._recovers_at is None:
            self._recovers_at = time.monotonic() + RECOVERY_SECONDS
        return time.monotonic() >= self._recovers_at


@contextlib.contextmanager
def faulty_registry(upstream: str) -> Iterator[str]:
    """Run one until the block ends; `upstream` is the real one. Yield its address."""
    with serving(_Server(upstream)) as server:
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.ending.set()


def closed_port() -> str:
    """Return an address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"
