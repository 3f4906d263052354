"""An admission webhook that treats pods of some namespaces as OpenShift's `restricted-v2` does, as far as users matter.

It is a stand-in, not OpenShift: it assigns the user and the group of volumes of the namespace, drops capabilities, and
refuses pods that name other users or groups, or want more rights.
"""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from hack.cluster import Cluster
from hack.commands import run
from tests.support.certificates import make

LABEL: Final = "mill.test/assigned-users"
USER: Final = 1_000_680_000
"""The first of the range that OpenShift gives to a namespace."""
_NAME: Final = "assigned-users.mill.test"

Json = dict[str, Any]


def refusal(pod: Json) -> str:
    """Return why a pod is refused; empty if it is not."""
    contexts = [pod.get("securityContext") or {}, *(each.get("securityContext") or {} for each in containers(pod))]
    for context in contexts:
        for field in ("runAsUser", "fsGroup"):
            if context.get(field) not in (None, USER):
                return f"{field}: Invalid value: {context[field]}: must be in the ranges: [{USER}, {USER + 9999}]"
        if (
            context.get("privileged")
            or context.get("allowPrivilegeEscalation")
            or (context.get("capabilities") or {}).get("add")
        ):
            return "privileges and capabilities are not allowed"
    if pod.get("hostNetwork") or pod.get("hostPID") or any("hostPath" in each for each in pod.get("volumes") or ()):
        return "what is of the host is not allowed"
    return ""


def assigned(pod: Json) -> list[Json]:
    """Return the JSON patch that gives a pod its user."""
    context = {"fsGroup": USER, "seccompProfile": {"type": "RuntimeDefault"}} | (pod.get("securityContext") or {})
    patch: list[Json] = [{"op": "add", "path": "/spec/securityContext", "value": context}]
    for index, each in enumerate(pod["containers"]):
        own = {
            "runAsUser": USER,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        } | (each.get("securityContext") or {})
        patch.append({"op": "add", "path": f"/spec/containers/{index}/securityContext", "value": own})
    return patch


def containers(pod: Json) -> list[Json]:
    return [*(pod.get("initContainers") or ()), *pod["containers"]]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        pod = review["request"]["object"]["spec"]
        answer: Json = {"uid": review["request"]["uid"], "allowed": True}
        if reason := refusal(pod):
            answer |= {
                "allowed": False,
                "status": {"message": f"unable to validate against any security context constraint: {reason}"},
            }
        else:
            patch = json.dumps(assigned(pod)).encode()
            answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
        body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def users_are_assigned(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Have the webhook for namespaces with the label while the block runs. The API server is on this machine."""
    keys = make(folder, "webhook")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "tls.crt", keys / "tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        run(*cluster.kubectl_command("apply", "-f", "-"), stdin=json.dumps(_webhook(server.server_port, keys)))
        yield
    finally:
        run(*cluster.kubectl_command("delete", "mutatingwebhookconfiguration", _NAME, "--ignore-not-found"))
        server.shutdown()
        server.server_close()
        thread.join()


def _webhook(port: int, keys: Path) -> Json:
    webhook = {
        "name": _NAME,
        "clientConfig": {
            "url": f"https://127.0.0.1:{port}/",
            "caBundle": base64.b64encode((keys / "tls.crt").read_bytes()).decode(),
        },
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "namespaceSelector": {"matchLabels": {LABEL: "true"}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
    }
    about = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
    return {**about, "metadata": {"name": _NAME}, "webhooks": [webhook]}
