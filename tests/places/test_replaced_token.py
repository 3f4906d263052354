"""The token of the operator's account is replaced, and the old one ends: it goes on with the one in the file."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hack.cluster import Cluster
from mill_kube.rights import SYSTEM_NAMESPACE
from tests.e2e.conftest import Namespace, free_port, wait_for
from tests.e2e.replica import without_the_operator

pytestmark = [pytest.mark.alone, pytest.mark.timeout(400)]

FILE = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}
"""
SCRIPT = """
import sys
from kubernetes.aio.config import incluster_config
incluster_config.SERVICE_TOKEN_FILENAME, incluster_config.SERVICE_CERT_FILENAME = sys.argv[1:3]
del sys.argv[1:]
import runpy
runpy.run_module("mill_operator", run_name="__main__")
"""
"""The operator as in a pod, whose files are elsewhere."""


class Account:
    """Tokens of the operator's account, each of them bound to a Secret with which it ends."""

    def __init__(self, namespace: Namespace, file: Path) -> None:
        self._namespace = namespace
        self._file = file
        self._kubectl = namespace.cluster.kubectl_command("--namespace", SYSTEM_NAMESPACE)
        self._bound: list[str] = []

    def replace(self) -> None:
        """Put a new token into the file, as the kubelet does long before the old one ends."""
        name = f"{self._namespace.name}-{len(self._bound)}"
        self._run("create", "secret", "generic", name)
        self._bound.append(name)
        bound = ("--bound-object-kind=Secret", f"--bound-object-name={name}")
        token = self._run("create", "token", "mill-operator", *bound)
        following = self._file.with_suffix(".following")
        following.write_text(token.strip())
        following.rename(self._file)

    def end(self, number: int) -> None:
        """End a token."""
        self._run("delete", "secret", self._bound[number], "--ignore-not-found")

    def clear(self) -> None:
        for number in range(len(self._bound)):
            self.end(number)

    def _run(self, *words: str) -> str:
        return self._namespace.run(*self._kubectl, *words).stdout


@contextmanager
def operator_in_a_pod(
    namespace: Namespace, token: Path, folder: Path, log: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    config: dict[str, Any] = json.loads(namespace.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    server = config["clusters"][0]["cluster"]
    authority = folder / "ca.crt"
    authority.write_text(namespace.get("configmap", "kube-root-ca.crt")["data"]["ca.crt"])
    address = urlsplit(server["server"])
    port = free_port()
    kept = {key: value for key, value in os.environ.items() if key not in ("KUBECONFIG", "MILL_CONTEXT")}
    settings = {
        "HOME": str(folder),
        "KUBERNETES_SERVICE_HOST": str(address.hostname),
        "KUBERNETES_SERVICE_PORT": str(address.port),
        "MILL_WATCH_NAMESPACE": namespace.name,
        "MILL_HEALTH_PORT": str(port),
    }
    with log.open("w") as file:
        command = (sys.executable, "-c", SCRIPT, str(token), str(authority))
        process = subprocess.Popen(command, env=kept | settings, stdout=file, stderr=file)
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(timeout=30)
        print(log.read_text())


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_operator_goes_on_with_the_token_that_the_file_has_now(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    token, log = tmp_path / "token", tmp_path / "operator.log"
    account = Account(namespace, token)
    account.replace()
    try:
        with (
            without_the_operator(cluster),
            operator_in_a_pod(namespace, token, tmp_path, log) as (process, port),
        ):
            wait_for("the operator", lambda: ready(port))
            first = namespace.deploy(FILE)
            assert first.code == 0, first
            account.replace()
            account.end(0)
            # A minute until the file is read again, and a moment until the API server forgets that a token was good.
            updated = namespace.deploy(FILE.replace("web:1", "web:2"))
            assert updated.code == 0, updated
            wait_for("readiness", lambda: ready(port), 90)
            assert process.poll() is None
            again = namespace.deploy(FILE)
            assert again.code == 0, again
            assert "Traceback" not in log.read_text()
    finally:
        account.clear()


def test_an_operator_whose_token_is_refused_waits_for_another_one(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    token, log = tmp_path / "token", tmp_path / "operator.log"
    account = Account(namespace, token)
    account.replace()
    account.end(0)
    try:
        with (
            without_the_operator(cluster),
            operator_in_a_pod(namespace, token, tmp_path, log) as (process, port),
        ):
            refused = "has refused the credentials of the operator"
            wait_for("refusals", lambda: log.read_text().count(refused) >= 4, 60)
            assert process.poll() is None
            assert not ready(port)
            account.replace()
            wait_for("the operator", lambda: ready(port), 90)
            done = namespace.deploy(FILE)
            assert done.code == 0, done
            assert log.read_text().count(refused) <= 15, "less and less often"
            assert "Ran out of valid credentials" not in log.read_text()
    finally:
        account.clear()
