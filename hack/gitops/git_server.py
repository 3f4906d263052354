"""Git over HTTP on this machine: `git http-backend`, which is a CGI program, behind a server.

Run as `python -m hack.gitops.git_server FOLDER PORT`.
"""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from hack.cluster.processes import Daemon

_MOST: Final = 10_000_000
"""Bytes of a request: what a client has already, and wants."""


def daemon(name: str, served: Path, port: int) -> Daemon:
    """Return the server of all repositories in a folder."""
    return Daemon(name, (sys.executable, "-m", __spec__.name, str(served), str(port)), guest=True)


class _Handler(BaseHTTPRequestHandler):
    served: Path

    def do_GET(self) -> None:
        """Answer by what the CGI program says."""
        length = min(int(self.headers.get("Content-Length") or 0), _MOST)
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.served),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
        }
        output = subprocess.run(
            ["git", "http-backend"], input=self.rfile.read(length), env=environment, capture_output=True, check=False
        )
        head, _, body = output.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for header, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - http.server calls it so


def serve(served: Path, port: int) -> None:
    """Serve until the process is ended."""
    handler = type("Handler", (_Handler,), {"served": served})
    ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
