"""`mill forward`, `mill open` and `mill exec` by a real kubectl, and what routes are told to be."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from tests.e2e.conftest import MILL, Namespace, free_port, wait_for
from tests.e2e.gateway.conftest import StartGateway

SHOP = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  memory   = "64M"
  replicas = 2
  route "HOST" { path = "/" }
}
"""


@pytest.fixture
def shop(namespace: Namespace, start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch) -> Namespace:
    """A namespace where a service with a route runs, and a kubectl on the path."""
    folder = namespace.folder / "bin"
    folder.mkdir()
    (folder / "kubectl").symlink_to(namespace.cluster.kubectl)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    namespace.gateway = start_gateway().url
    done = namespace.deploy(SHOP.replace("HOST", f"{namespace.name}.example.com"))
    assert done.code == 0, done.stderr
    return namespace


@contextmanager
def running(namespace: Namespace, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Have `mill` run while the block does."""
    environment = {**os.environ, **namespace.cluster.environment(), "MILL_ADDRESS": namespace.gateway}
    command = [str(MILL), *arguments, "--namespace", namespace.name]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_connections_reach_a_pod_and_another_one_when_it_is_deleted(shop: Namespace) -> None:
    port = free_port()
    with running(shop, "forward", "web", f"{port}:8080") as forwarding:
        assert forwarding.stdout is not None
        first = forwarding.stdout.readline()
        assert first.startswith(f"forwarding 127.0.0.1:{port} to web-")
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        pod = first.split()[3].partition(":")[0]
        shop.kubectl("delete", "pod", pod, "--wait=false")
        second = forwarding.stdout.readline()
        assert second.startswith(f"forwarding 127.0.0.1:{port} to web-")
        assert pod not in second
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        forwarding.send_signal(signal.SIGINT)
        _, errors = forwarding.communicate(timeout=20)
    assert (forwarding.returncode, errors.count("\n")) == (0, 1)
    assert errors.startswith(f"{pod}: ")


def test_a_program_runs_in_a_pod_and_its_exit_code_is_that_of_the_command(shop: Namespace) -> None:
    start = [str(MILL), "exec", "web", "--namespace", shop.name, "--", "/web"]
    done = shop.run(*start, "-get", "http://127.0.0.1:8080/")
    assert done.stdout.strip()
    assert done.stderr == ""
    ends = ["-no-listen", "-exit-after", "100ms", "-exit-code", "7"]
    assert shop.run(*start, *ends, check=False).code == 7


def test_a_wrong_cluster_is_suspected(shop: Namespace) -> None:
    found = yaml.safe_load(Path(shop.cluster.environment()["KUBECONFIG"]).read_text())
    for each in found["clusters"]:
        each["cluster"]["server"] = "https://127.0.0.1:1"
    other = shop.folder / "other.yaml"
    other.write_text(yaml.safe_dump(found))
    command = ["env", f"KUBECONFIG={other}", str(MILL), "forward", "web", ":8080", "--namespace", shop.name]
    done = shop.run(*command, check=False)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: cannot forward to web-")
    assert "choose one with --context" in done.stderr


def test_a_route_that_no_ingress_controller_serves_is_reported_until_one_does(shop: Namespace) -> None:
    url = f"http://{shop.name}.example.com/"

    def route() -> dict[str, str | None]:
        (web,) = httpx.get(f"{shop.gateway}/v1/services", params={"namespace": shop.name}).json()
        (found,) = web["routes"]
        assert found["url"] == url
        return dict(found)

    wait_for("the Ingress", lambda: (route()["problem"] or "").startswith("no ingress controller serves it"))
    published = '{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.10"}]}}}'
    shop.kubectl("patch", "ingress", "web", "--subresource=status", "--type=merge", "-p", published)
    wait_for("the address", lambda: route() == {"url": url, "address": "203.0.113.10", "problem": None})
    opened = shop.run("env", "BROWSER=/bin/echo opened %s", str(MILL), "open", "web", "--namespace", shop.name)
    assert opened.stdout.splitlines() == [url, f"opened {url}"]
