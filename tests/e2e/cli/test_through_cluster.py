"""`mill --context`: a gateway that only the cluster's API server reaches, through `kubectl proxy`."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from hack.cluster import Cluster
from tests.e2e.conftest import MILL, Finished, Namespace, free_port, wait_for
from tests.e2e.gateway.process import ready_gateway
from tests.e2e.seed import LINES, NODE, SEED, notices, plan

TOKEN = "a-token-of-this-test"
CONTEXT = "mill-dev"


@dataclass
class Through:
    """`mill` with the options that lead through the cluster."""

    namespace: Namespace
    environment: dict[str, str]
    options: list[str]

    def __call__(self, *arguments: str, **variables: str) -> Finished:
        done = subprocess.run(
            [str(MILL), *self.options, *arguments],
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def through(namespace: Namespace, cluster: Cluster, tmp_path: Path) -> Iterator[Through]:
    """A gateway behind a Service, in the namespace of the test."""
    settings = {"MILL_LISTEN_HOST": "0.0.0.0", "MILL_ADMIN_TOKEN": TOKEN, "MILL_KUBERNETES_TOKENS": "on"}  # noqa: S104
    with ready_gateway(cluster, tmp_path, **settings) as gateway:
        _put_behind_service(namespace, gateway.port)
        variables = {**os.environ, **cluster.environment(), "MILL_TOKEN": TOKEN}
        variables.pop("MILL_ADDRESS", None)
        service = f"{namespace.name}/mill-gateway:4400"
        options = ["--context", CONTEXT, "--gateway", service, "--namespace", namespace.name]
        yield Through(namespace, variables, options)


def _put_behind_service(namespace: Namespace, port: int) -> None:
    """Make a Service that leads to a process on this machine.

    The API server passes on to pods only: one in the node's network has the node's address, and lends it.
    """
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "lender"},
        "spec": {
            "hostNetwork": True,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "lender",
                    "image": f"{namespace.registry}/web:1",
                    "env": [{"name": "PORT", "value": str(free_port())}],
                }
            ],
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mill-gateway"},
        "spec": {"ports": [{"name": "http", "port": 4400, "targetPort": port}]},
    }
    for each in (pod, service):
        namespace.kubectl("apply", "-f", "-", stdin=json.dumps(each))
    address = wait_for("the pod's address", lambda: namespace.get("pod", "lender")["status"].get("podIP"))
    target = {"kind": "Pod", "name": "lender", "namespace": namespace.name}
    endpoints = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "mill-gateway"},
        "subsets": [{"addresses": [{"ip": address, "targetRef": target}], "ports": [{"name": "http", "port": port}]}],
    }
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(endpoints))


def proxies(namespace: Namespace) -> list[str]:
    """The command lines of proxies that lead to this namespace."""
    found = subprocess.run(["ps", "-wweo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if "kubectl" in line and f"/namespaces/{namespace.name}/" in line]


def test_the_seeds_lines_through_the_api_server(through: Through, tmp_path: Path) -> None:
    file = tmp_path / "production.mill"
    file.write_text(SEED.replace("REGISTRY", through.namespace.registry))
    done = through("deploy", "-f", str(file))
    assert (done.stdout, done.code) == (LINES, 1)
    planned = plan(through.namespace.name)
    assert done.stderr.startswith(planned)
    assert done.stderr.removeprefix(planned) in notices(through.namespace.registry)
    assert "broken" in through("status").stdout
    assert proxies(through.namespace) == []


def test_a_token_of_the_cluster_is_as_good(through: Through) -> None:
    namespace = through.namespace
    namespace.kubectl("create", "serviceaccount", "reader")
    namespace.kubectl(
        "create", "rolebinding", "reader", "--clusterrole=view", f"--serviceaccount={namespace.name}:reader"
    )
    token = namespace.kubectl("create", "token", "reader").strip()
    refused = through("secret", "list", MILL_TOKEN=token)
    assert refused.code == 1
    assert "may not" in refused.stderr or "cannot" in refused.stderr
    assert token not in refused.stdout + refused.stderr
    wrong = through("nodes", MILL_TOKEN="wrong")
    assert (wrong.code, wrong.stdout) == (1, "")
    assert "check that the token is a valid one" in wrong.stderr


def test_a_context_that_there_is_not_is_named(through: Through) -> None:
    through.options[1] = "nowhere"
    done = through("nodes")
    assert (done.code, done.stdout) == (2, "")
    assert "nowhere" in done.stderr
    assert "kubectl config get-contexts" in done.stderr


def test_a_service_that_there_is_not_is_told_in_the_api_servers_words(through: Through) -> None:
    through.options[3] = f"{through.namespace.name}/nothing:4400"
    done = through("nodes")
    assert (done.code, done.stdout) == (1, "")
    assert 'services "nothing" not found' in done.stderr
    assert "--gateway" in done.stderr


def test_the_proxy_ends_with_the_command_however_that_ends(through: Through, tmp_path: Path) -> None:
    file = tmp_path / "slow.mill"
    file.write_text(
        f'service "slow" {{\n  image = "{through.namespace.registry}/web:1"\n  port = 8080\n  cpu = 0.05\n'
        '  health {\n    path = "/nothing-there"\n  }\n}\n'
    )
    command = [str(MILL), *through.options, "deploy", str(file)]
    with subprocess.Popen(command, env=through.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"  slow: scheduled on {NODE}\n"
        assert len(proxies(through.namespace)) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 128 + signal.SIGTERM
    wait_for("the proxy's end", lambda: proxies(through.namespace) == [])


def test_a_service_is_reached_in_the_context_of_the_gateway(through: Through, tmp_path: Path) -> None:
    """The kubeconfig's own context is another one, where there is no such pod."""
    file = tmp_path / "web.mill"
    image = f"{through.namespace.registry}/web:1"
    file.write_text(f'service "web" {{\n  image = "{image}"\n  port = 8080\n  cpu = 0.02\n}}\n')
    assert through("deploy", str(file)).code == 0
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "kubectl").symlink_to(through.namespace.cluster.kubectl)
    found = yaml.safe_load(Path(through.environment["KUBECONFIG"]).read_text())
    elsewhere = {"name": "elsewhere", "cluster": {"server": "https://127.0.0.1:1"}}
    found["clusters"].append(elsewhere)
    context = {"cluster": "elsewhere", "user": found["contexts"][0]["context"]["user"]}
    found["contexts"].append({"name": "elsewhere", "context": context})
    found["current-context"] = "elsewhere"
    other = tmp_path / "kubeconfig"
    other.write_text(yaml.safe_dump(found))
    variables = {"KUBECONFIG": str(other), "PATH": f"{folder}:{os.environ['PATH']}"}
    done = through("exec", "web", "--", "/web", "-get", "http://127.0.0.1:8080/", **variables)
    assert (done.stderr, done.code) == ("", 0)
    assert done.stdout.startswith("web 1 on web-")
