"""`mill forward`, with a kubectl that does what a test says."""

import json
import signal
import socket
import sys
from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json
from tests.cli.kubectl import LISTEN, NOT_FOUND, ONE, TWO, Kubectl, allocation, service

FAST = (
    "import mill_cli.reach.forward as module; module.POLL_SECONDS = module.PAUSE_SECONDS = 0.05; "
    "module.SETTLED_SECONDS = 0.2; module.WAIT_SECONDS = {wait}; from mill_cli.main import run; run()"
)


LOSE = """
echo "Forwarding from 127.0.0.1:1 -> 8080"
echo "E1128 17:40:00.123456   41 portforward.go:409] an error occurred forwarding: pod is gone" >&2
echo "error: lost connection to pod" >&2
exit 1
"""


def fast(mill: Mill, wait: float = 5.0) -> Mill:
    """Return a `mill` that looks at the pods all the time."""
    return Mill(mill.gateway, mill.folder, mill.printed, (sys.executable, "-c", FAST.format(wait=wait)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_is_forwarded_until_ctrl_c(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    running, old = allocation("web-1-a", "running"), allocation("web-1-b", current=False)
    stopping = allocation("web-1-c", "stopped")
    gateway.answers("GET", "/v1/services", as_json([service(running, stopping, old, TWO, ONE)]))
    port = free_port()
    with mill.started("forward", "web", f"{port}:8080", "-n", "shop", PATH=kubectl.path) as forwarding:
        assert forwarding.line() == f"forwarding 127.0.0.1:{port} to web-6d4f9-aaaaa:8080\n"
        done = forwarding.ended(signal.SIGINT)
    assert (done.stdout, done.stderr, done.code) == ("", "", 0)
    address = "--namespace=shop port-forward --address=127.0.0.1"
    assert kubectl.calls == [f"{address} pod/web-6d4f9-aaaaa {port}:8080", "ended"]
    assert gateway.requests == [("GET", "/v1/services", {"namespace": "shop"})]


def test_the_context_of_the_gateway_is_that_of_kubectl(mill: Mill, kubectl: Kubectl) -> None:
    """With --context the gateway is reached by kubectl, too: this one refuses."""
    kubectl.does("echo 'error: context \"prod\" does not exist' >&2; exit 1")
    done = mill("forward", "web", "--context", "prod", PATH=kubectl.path, MILL_ADDRESS="")
    assert (done.code, done.stdout) == (2, "")
    assert kubectl.calls[0].startswith("--context prod proxy ")


def test_json_says_where_to_connect(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(ONE)]))
    with mill.started("forward", "web", ":9000", "--json", PATH=kubectl.path) as forwarding:
        said = json.loads(forwarding.line())
        assert forwarding.ended(signal.SIGINT).code == 0
    host, _, port = said["address"].partition(":")
    assert said == {"address": f"{host}:{port}", "pod": ONE["id"], "port": 9000}
    assert (host, kubectl.calls[0].split()[-1]) == ("127.0.0.1", f"{port}:9000")


def test_sigterm_ends_kubectl_too(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(ONE)]))
    with mill.started("forward", "web", ":8080", PATH=kubectl.path) as forwarding:
        forwarding.line()
        assert forwarding.ended(signal.SIGTERM).code == 128 + signal.SIGTERM
    assert kubectl.calls[-1] == "ended"


def test_a_pod_that_kubectl_loses_is_replaced_by_another(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(ONE, TWO)]))
    kubectl.does(f'if [[ "$*" == *aaaaa* ]]; then\n{LOSE}\nfi\n{LISTEN}')
    port = free_port()
    with fast(mill).started("forward", "web", f"{port}:8080", PATH=kubectl.path) as forwarding:
        assert forwarding.line() == f"forwarding 127.0.0.1:{port} to web-6d4f9-aaaaa:8080\n"
        assert forwarding.line() == f"forwarding 127.0.0.1:{port} to web-6d4f9-bbbbb:8080\n"
        done = forwarding.ended(signal.SIGINT)
    assert (done.stderr, done.code) == ("web-6d4f9-aaaaa: an error occurred forwarding: pod is gone\n", 0)


def test_a_pod_that_the_gateway_sees_no_more_is_replaced(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gone = [service(allocation(ONE["id"], "stopped"))]
    gateway.answers("GET", "/v1/services", as_json([service(ONE)]), *([as_json(gone)] * 3), as_json([service(TWO)]))
    with fast(mill).started("forward", "web", ":8080", PATH=kubectl.path) as forwarding:
        assert "web-6d4f9-aaaaa:8080" in forwarding.line()
        assert "web-6d4f9-bbbbb:8080" in forwarding.line()
        done = forwarding.ended(signal.SIGINT)
    assert (done.stderr, done.code) == ("web-6d4f9-aaaaa: this pod is gone\n", 0)
    ports = {call.split()[-1] for call in kubectl.calls if "port-forward" in call}
    assert len(ports) == 1, "the local port stays"


def test_without_another_pod_it_ends(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    lost = service(message="image pull failed: tag not found", detail="image web:9")
    gateway.answers("GET", "/v1/services", as_json([service(ONE)]), as_json([lost]))
    done = fast(mill, 0.5)("forward", "web", ":8080", PATH=kubectl.path)
    assert done.code == 1
    assert done.stderr == (
        "web-6d4f9-aaaaa: this pod is gone\n"
        "error: no pod of web is running: image pull failed: tag not found (image web:9) (waited 0s)\n"
    )


def test_a_pod_that_is_lost_again_and_again_is_given_up(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(ONE)]))
    kubectl.does(LOSE)
    done = fast(mill)("forward", "web", ":8080", PATH=kubectl.path)
    assert done.code == 1
    assert done.stderr.endswith("error: cannot forward to web-6d4f9-aaaaa: an error occurred forwarding: pod is gone\n")
    assert len(kubectl.calls) == 11


def test_a_named_pod_is_not_replaced(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(ONE, TWO)]))
    kubectl.does(LOSE)
    done = mill("forward", "web-6d4f9-bbbbb", ":8080", PATH=kubectl.path)
    assert (done.code, done.stderr) == (
        1,
        "error: cannot forward to web-6d4f9-bbbbb: an error occurred forwarding: pod is gone\n",
    )


def test_another_cluster_is_suspected(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(ONE)]))
    kubectl.does(NOT_FOUND)
    done = mill("forward", "web", ":8080", PATH=kubectl.path)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr == (
        'error: cannot forward to web-6d4f9-aaaaa: Error from server (NotFound): pods "web-6d4f9-aaaaa" not found\n'
        "  help: the current kubeconfig context may be another cluster than the gateway's: choose one with --context\n"
    )


def test_a_port_that_is_taken(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        gateway.answers("GET", "/v1/services", as_json([service(ONE, port=port)]))
        done = mill("forward", "web", f"{port}:80", PATH=kubectl.path)
        assert (done.code, done.stdout) == (1, "")
        assert done.stderr == (
            f"error: cannot listen on port {port} of this machine: address already in use\n"
            "  help: choose another one, such as `:80` for any that is free\n"
        )
        with mill.started("forward", "web", PATH=kubectl.path) as forwarding:
            local = forwarding.line().split()[1].rpartition(":")[2]
            assert forwarding.ended(signal.SIGINT).code == 0
        assert int(local) != port
        assert kubectl.calls[0].endswith(f" {local}:{port}")


@pytest.mark.parametrize(
    ("services", "arguments", "code", "error"),
    [
        ([service(ONE, port=None)], ["web"], 2, "web has no port\n  help: name one: `mill forward web PORT`"),
        ([service()], ["web"], 1, "no pod of web is running\n  help: `mill logs web` shows its last lines"),
        (
            [service(ONE), service(name="api")],
            ["wbe"],
            1,
            'no service or pod "wbe"\n  help: did you mean `web`?\n  help: there are web, api',
        ),
        (
            [service(name=f"s{number}") for number in range(12)],
            ["a"],
            1,
            'no service or pod "a"\n  help: there are s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 2 more: `mill status`',
        ),
        (
            [],
            ["web"],
            1,
            'no service or pod "web"\n  help: there are no services here; `--namespace` and `--name` select others',
        ),
        (
            [service(allocation("--kubeconfig=/tmp/evil"))],
            ["web"],
            1,
            "the gateway sent '--kubeconfig=/tmp/evil', which is no name of Kubernetes",
        ),
        (
            [service(ONE, namespace="a\x1b[31m")],
            ["web"],
            1,
            "the gateway sent 'a\\x1b[31m', which is no name of Kubernetes",
        ),
    ],
    ids=["no port", "no pod", "unknown", "many", "none", "hostile pod", "hostile namespace"],
)
def test_what_cannot_be_forwarded(
    mill: Mill, gateway: FakeGateway, kubectl: Kubectl, services: Any, arguments: list[str], code: int, error: str
) -> None:
    gateway.answers("GET", "/v1/services", as_json(services))
    done = mill("forward", *arguments, PATH=kubectl.path)
    assert (done.stdout, done.stderr, done.code) == ("", f"error: {error}\n", code)
    assert kubectl.calls == []


@pytest.mark.parametrize("ports", ["0", "65536", "1:2:3", "A", "a:80", "80:", "-1", "8080/tcp"])
def test_wrong_ports(mill: Mill, gateway: FakeGateway, ports: str) -> None:
    done = mill("forward", "web", "--", ports)
    assert (done.stdout, done.code, gateway.asked) == ("", 2, [])
    assert done.stderr.startswith("error: invalid value for <PORT>: ")


def test_a_port_is_given_by_its_name(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    named = [
        {"name": "metrics", "number": 9090, "protocol": "tcp"},
        {"name": "dns", "number": 53, "protocol": "udp"},
    ]
    gateway.answers("GET", "/v1/services", as_json([service(ports=named)]))
    done = mill("forward", "web", "dns")
    assert (done.stderr, done.code) == ("error: web has no port dns\n  help: named ports: metrics\n", 2)
