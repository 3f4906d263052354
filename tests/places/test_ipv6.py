"""Operator, gateway and command line where there is no IPv4: a network namespace with an IPv6 address alone."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hack.cluster import Cluster
from hack.commands import run
from hack.install import local_processes as local
from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.faults.link import linked
from tests.e2e.seed import LINES, SEED
from tests.support.certificates import make

pytestmark = pytest.mark.alone

HERE, THERE = "fd00:6d69:6c6c::1", "fd00:6d69:6c6c::2"
TOKEN = "of-this-test"
EVERYWHERE = {"MILL_HEALTH_HOST": "*", "MILL_LISTEN_HOST": "*"}
"""As the chart has it."""


@contextmanager
def island() -> Iterator[str]:
    """Have a network namespace that reaches this machine by IPv6, and nothing by IPv4. Return its name."""
    name = f"mill-{secrets.token_hex(3)}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "address", "add", f"{HERE}/64", "dev", name, "nodad")
        run("ip", "link", "set", name, "up")
        run("ip", "-n", name, "address", "add", f"{THERE}/64", "dev", "eth0", "nodad")
        for device in ("lo", "eth0"):
            run("ip", "-n", name, "link", "set", device, "up")
        yield name
    finally:
        run("ip", "netns", "delete", name)


@contextmanager
def program(where: str, name: str, log: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Have a program run in a network namespace while the block runs."""
    command = ("ip", "netns", "exec", where, sys.executable, "-m", f"mill_{name}")
    with log.open("w") as file:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=file, stderr=file)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
        print(f"--- {name}\n{log.read_text()}")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, verify=False).status_code == 200  # noqa: S501 - a certificate of this test
    except httpx.HTTPError:
        return False


@pytest.fixture
def no_operator(cluster: Cluster) -> Iterator[None]:
    """Have no other operator meanwhile."""
    local.stop("operator")
    try:
        yield
    finally:
        local.start(cluster, "operator")


@pytest.mark.usefixtures("no_operator")
def test_the_seeds_scenario_by_ipv6_alone(
    cluster: Cluster, namespace: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes network namespaces")
    keys = make(tmp_path, "certificate", host=f"IP:{THERE}")
    tls = {"MILL_TLS_CERT": str(keys / "tls.crt"), "MILL_TLS_KEY": str(keys / "tls.key")}
    with island() as where, linked(cluster, tmp_path, address=HERE) as way:
        settings = {**EVERYWHERE, **way.environment, "MILL_CONTEXT": ""}
        only = {"MILL_WATCH_NAMESPACE": namespace.name}
        with (
            program(where, "operator", tmp_path / "operator.log", settings | only),
            program(where, "gateway", tmp_path / "gateway.log", settings | tls | {"MILL_ADMIN_TOKEN": TOKEN}),
        ):
            wait_for("the operator", lambda: answers(f"http://[{THERE}]:{local.OPERATOR_PORT}/readyz"))
            namespace.gateway = f"https://[{THERE}]:{local.GATEWAY_PORT}"
            wait_for("the gateway", lambda: answers(f"{namespace.gateway}/readyz"))
            monkeypatch.setenv("MILL_TOKEN", TOKEN)
            monkeypatch.setenv("MILL_CA_FILE", str(keys / "tls.crt"))
            done = namespace.deploy(SEED)
            assert (done.stdout, done.code) == (LINES, 1), done.stderr
            status = namespace.mill("status")
            assert status.code == 0, status
            assert "image pull failed: tag not found" in status.stdout
