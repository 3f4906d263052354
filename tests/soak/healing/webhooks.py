"""An admission webhook that is away for a while: nothing that it must admit can be created until it is back."""

import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e.conftest import free_port, wait_for
from tests.e2e.objects import Json
from tests.soak.healing.scenario import Group, healing
from tests.support import certificates


class _Admission(BaseHTTPRequestHandler):
    """Admits everything."""

    def do_POST(self) -> None:
        """Answer a review."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": {"uid": review["request"]["uid"], "allowed": True},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def away(resource: str, group_name: str = "") -> Callable[[Group], AbstractContextManager[None]]:
    """Return a fault: the webhook that admits these objects of the namespace does not answer."""

    @contextmanager
    def run(group: Group) -> Iterator[None]:
        with tempfile.TemporaryDirectory() as folder:
            made = certificates.make(Path(folder), "webhook")
            port = free_port()
            body = _configuration(group, made, port, group_name, resource)
            group.namespace.kubectl("apply", "-f", "-", stdin=json.dumps(body))
            servers: list[ThreadingHTTPServer] = []
            try:
                _wait_until_refused(group, resource)
                with healing(group.heal_seconds, lambda: servers.append(_serve(made, port))):
                    yield
            finally:
                group.namespace.kubectl("delete", "validatingwebhookconfiguration", group.namespace.name)
                for server in servers:
                    server.shutdown()
                    server.server_close()

    return run


def _serve(made: Path, port: int) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", port), _Admission)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made / "tls.crt", made / "tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _configuration(group: Group, made: Path, port: int, group_name: str, resource: str) -> Json:
    namespace = group.namespace.name
    rule = {"apiGroups": [group_name], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]}
    webhook = {
        "name": "webhook.soak.mill.dev",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 5,
        "clientConfig": {
            "url": f"https://127.0.0.1:{port}/",
            "caBundle": base64.b64encode((made / "tls.crt").read_bytes()).decode(),
        },
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [rule],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": namespace},
        "webhooks": [webhook],
    }


def _wait_until_refused(group: Group, resource: str) -> None:
    """Wait until the API server knows the webhook."""
    if resource == "pods":
        probe: tuple[str, ...] = ("run", "probe", "--image=probe", "--dry-run=server")
    else:
        probe = ("create", "deployment", "probe", "--image=probe", "--dry-run=server")
    wait_for("the webhook", lambda: not group.namespace.kubectl(*probe, check=False))
