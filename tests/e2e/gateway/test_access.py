"""Who may do what: tokens of the gateway, tokens of the cluster with its own rules, and TLS."""

import re
import shlex
import ssl
import subprocess
from pathlib import Path
from typing import Any

import httpx

from mill_gateway.access.reviews import YES_SECONDS
from tests.e2e.conftest import Namespace, wait_for

from .conftest import StartGateway
from .process import GatewayProcess

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "access.md"
API_SERVER_SECONDS = 10
"""How long the API server itself remembers whose a token is."""
SLACK = 5
WEB = 'service "web" {\n  image = "REGISTRY/web:1"\n  cpu   = 0.02\n}\n'


def _deploy(gateway: GatewayProcess, namespace: str, token: str, text: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(
        f"{gateway.url}/v1/deploy", params={"namespace": namespace}, content=text, headers=headers, timeout=60
    )


def _deployer(namespace: Namespace) -> str:
    """Make the account that docs/access.md makes, by its own commands; return its token."""
    commands = re.findall(
        r"^\$ kubectl -n shop (create (?:serviceaccount|role|rolebinding) .+)$", DOCUMENTATION.read_text(), re.MULTILINE
    )
    assert len(commands) == 3
    for command in commands:
        namespace.kubectl(*shlex.split(command.replace("shop:", f"{namespace.name}:")))
    return namespace.kubectl("create", "token", "deployer").strip()


def test_a_token_of_the_cluster_lets_do_what_the_cluster_lets_do(
    namespace: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(MILL_KUBERNETES_TOKENS="on")
    token, text = _deployer(namespace), WEB.replace("REGISTRY", namespace.registry)
    deployer = f"system:serviceaccount:{namespace.name}:deployer"

    refused = _deploy(gateway, "default", token, text)
    assert refused.status_code == 403
    verb = "patch" if "may not patch" in refused.text else "create"  # whether somebody has deployed there or not
    assert refused.json()["error"] == f"{deployer} may not {verb} milldeployments.mill.dev mill in namespace default"
    done = _deploy(gateway, namespace.name, token, text)
    assert (done.status_code, '"success": true' in done.text) == (200, True)

    def get(path: str) -> tuple[int, str]:
        # The header that passes the API server's proxy, which strips the other one.
        answer = gateway.get(f"{path}?namespace={namespace.name}", {"Mill-Token": token})
        return answer.status_code, answer.json()["error"] if answer.is_error else ""

    here = f"in namespace {namespace.name}"
    assert get("/v1/deployments")[0] == 200
    assert get("/v1/secrets/x") == (403, f"{deployer} may not get secrets mill-secrets {here}")
    assert get("/v1/logs/web") == (403, f"{deployer} may not get pods/log {here}")
    assert get("/v1/nodes") == (403, f"{deployer} may not list nodes")
    assert get("/v1/metrics") == (403, f"{deployer} may not get /metrics")
    assert gateway.get("/v1/deployments", {"Mill-Token": "nobody's token"}).status_code == 401
    assert token not in gateway.log


def test_a_right_and_a_token_that_are_taken_away_end_in_seconds(
    namespace: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(MILL_KUBERNETES_TOKENS="on")
    headers = {"Authorization": f"Bearer {_deployer(namespace)}"}

    def status() -> int:
        return gateway.get(f"/v1/deployments?namespace={namespace.name}", headers).status_code

    assert status() == 200
    namespace.kubectl("delete", "rolebinding", "mill-deployer")
    wait_for("the right to end", lambda: status() == 403, YES_SECONDS + SLACK)
    namespace.kubectl("delete", "serviceaccount", "deployer")
    wait_for("the token to end", lambda: status() == 401, YES_SECONDS + API_SERVER_SECONDS + SLACK)


def test_a_token_of_the_gateway_is_changed_without_a_restart(
    namespace: Namespace, start_gateway: StartGateway, tmp_path: Path
) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"the-first-token\nfor-one-namespace {namespace.name}\n")
    gateway = start_gateway(MILL_ADMIN_TOKENS_FILE=str(file))

    def status(token: str, where: str = "default") -> int:
        return gateway.get(f"/v1/deployments?namespace={where}", {"Authorization": f"Bearer {token}"}).status_code

    assert (status("the-first-token"), status("the-second-token"), status("-")) == (200, 401, 401)
    assert (status("for-one-namespace", namespace.name), status("for-one-namespace")) == (200, 403)
    file.with_name("new").write_text("the-second-token\n")
    file.with_name("new").rename(file)
    wait_for("the new token", lambda: status("the-second-token") == 200, 10)
    assert status("the-first-token") == 401
    file.unlink()
    assert status("the-second-token") == 200
    assert "the-first-token" not in gateway.log
    assert "the-second-token" not in gateway.log


def test_a_certificate_is_renewed_without_a_restart(start_gateway: StartGateway, tmp_path: Path) -> None:
    chain, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    first = _certificate(tmp_path, "first", chain, key)
    gateway = start_gateway(MILL_TLS_CERT=str(chain), MILL_TLS_KEY=str(key))
    assert _ready(gateway, first)
    second = _certificate(tmp_path, "second", chain, key)
    wait_for("the new certificate", lambda: _ready(gateway, second), 30)
    assert not _ready(gateway, first)


def test_what_does_not_fit_is_told_at_the_start(start_gateway: StartGateway, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("secret\n")
    settings = {"MILL_LISTEN_HOST": "::", "MILL_TLS_CERT": str(wrong), "MILL_TLS_KEY": str(wrong), "MILL_DRAIN": "on"}
    process = start_gateway(ready=False, **settings, MILL_NODES="false", MILL_ADMIN_TOKENS_FILE=str(wrong))
    assert process.process.wait(30) == 2
    assert process.log.splitlines() == [
        "error: MILL_DRAIN=true needs MILL_NODES=true",
        f"error: MILL_ADMIN_TOKENS_FILE={wrong}: line 1: the token has fewer than 8 characters",
        f"error: MILL_TLS_CERT={wrong}, MILL_TLS_KEY={wrong}: not a certificate and a key in PEM format",
    ]


def _certificate(folder: Path, name: str, chain: Path, key: Path) -> Path:
    """Make a certificate of its own authority; return what to trust."""
    made = {"chain": folder / f"{name}.crt", "key": folder / f"{name}.key"}
    subject = ("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(made["key"]), "-out", str(made["chain"]))
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files)
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    made["key"].replace(key)
    chain.write_bytes(made["chain"].read_bytes())
    return made["chain"]


def _ready(gateway: GatewayProcess, trusted: Path) -> bool:
    context: Any = ssl.create_default_context(cafile=str(trusted))
    try:
        answer = httpx.get(f"{gateway.url}/readyz", verify=context, timeout=5)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200
