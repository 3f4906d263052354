"""`mill open` and `mill exec`, with a kubectl that does what a test says, and how a deploy says what to use."""

import signal
from pathlib import Path

import pytest

from hack.pictures.terminal import Terminal
from tests.cli.conftest import MILL, Mill
from tests.cli.fake_gateway import FakeGateway, as_json, rollout
from tests.cli.kubectl import NOT_FOUND, ONE, TWO, Kubectl, allocation, route, service


@pytest.mark.parametrize("command", ["forward", "open", "exec"])
def test_without_kubectl(mill: Mill, gateway: FakeGateway, tmp_path: Path, command: str) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(ONE)]))
    done = mill(command, "web", PATH=str(tmp_path))
    assert (done.stdout, done.code) == ("", 2)
    needs = "forward" if command == "open" else command
    assert done.stderr == (
        f"error: `mill {needs}` needs kubectl, which is not installed\n"
        "  help: install kubectl (https://kubernetes.io/docs/tasks/tools/) with a kubeconfig for the cluster\n"
    )


def test_the_first_url_that_is_served_is_opened(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    routes = [route("http://a.example/", "not yet"), route("http://*.example/"), route("https://shop.example/x?y")]
    gateway.answers("GET", "/v1/services", as_json([service(routes=routes)]))
    done = mill("open", "web", PATH=kubectl.path, BROWSER=kubectl.browser())
    assert (done.stdout, done.stderr, done.code) == ("https://shop.example/x?y\n", "", 0)
    assert kubectl.calls == ["browser https://shop.example/x?y"]


def test_without_a_url_a_port_is_forwarded_and_opened(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    routes = [route("http://shop.example/", "no ingress controller serves it"), route("javascript:alert(1)")]
    gateway.answers("GET", "/v1/services", as_json([service(ONE, routes=routes)]))
    with mill.started("open", "web", PATH=kubectl.path, BROWSER=kubectl.browser()) as opened:
        local = opened.line().split()[1]
        assert opened.line() == f"http://{local}/\n"
        done = opened.ended(signal.SIGINT)
    assert (done.stdout, done.code) == ("", 0)
    assert done.stderr.startswith("http://shop.example/: no ingress controller serves it\n")
    assert "javascript" not in "".join(kubectl.calls)


def test_without_a_browser_the_url_is_printed(mill: Mill, gateway: FakeGateway, tmp_path: Path) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(routes=[route("https://shop.example/")])]))
    done = mill("open", "web", PATH=str(tmp_path))
    assert (done.stdout, done.code) == ("https://shop.example/\n", 0)
    assert done.stderr == "there is no browser here: open the URL yourself\n"
    assert mill("open", "web", "--json", PATH=str(tmp_path)).stdout == '{"url":"https://shop.example/"}\n'


def test_a_program_runs_in_the_best_pod(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(allocation("web-1-a", current=False), TWO)]))
    kubectl.does("cat; echo error >&2; exit 42")
    done = mill("exec", "web", "-n", "shop", "--", "grep", "-v", "--", "x", stdin="input\n", PATH=kubectl.path)
    assert (done.stdout, done.stderr, done.code) == ("input\n", "error\n", 42)
    shop = "--namespace=shop exec --stdin --container=web"
    assert kubectl.calls == [f"{shop} pod/web-6d4f9-bbbbb -- grep -v -- x"]
    assert mill("exec", "web-1-a", PATH=kubectl.path).code == 42
    assert kubectl.calls[-1] == f"{shop} pod/web-1-a -- sh"
    kubectl.does("kill -9 $$")
    assert mill("exec", "web", "--", "true", PATH=kubectl.path).code == 128 + signal.SIGKILL


def test_a_program_that_fails_and_a_pod_that_is_not_found(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    gateway.answers("GET", "/v1/services", as_json([service(ONE)]))
    kubectl.does("exit 1")
    failed = mill("exec", "web", "--", "false", PATH=kubectl.path)
    assert (failed.stdout, failed.stderr, failed.code) == ("", "", 1)
    kubectl._write("kubectl", NOT_FOUND)
    missing = mill("exec", "web", "--", "false", PATH=kubectl.path)
    assert (missing.stdout, missing.code) == ("", 1)
    assert missing.stderr == (
        'Error from server (NotFound): pods "web-6d4f9-aaaaa" not found\n'
        "  help: the current kubeconfig context may be another cluster than the gateway's: choose one with --context\n"
    )


def test_a_service_without_a_pod_runs_nothing(mill: Mill, gateway: FakeGateway, kubectl: Kubectl) -> None:
    crashed = service(allocation("web-1-a", "failed"), message="container exited with code 1")
    gateway.answers("GET", "/v1/services", as_json([crashed]))
    done = mill("exec", "web", PATH=kubectl.path)
    assert (done.stdout, done.code, kubectl.calls) == ("", 1, [])
    assert done.stderr == (
        "error: no pod of web is running: container exited with code 1\n"
        "  help: `mill logs web --previous` shows its last lines\n"
    )


SHOP = 'service "web" {\n  image = "web:1"\n  port = 8080\n  route "shop.example" { path = "/" }\n}\n'
SERVING = {"replicas": {"desired": 1, "healthy": 1, "serving": 1}}
DONE = (
    ("progress", {"service": "web", "phase": "healthy"}),
    ("done", {"elapsed": 1.0, "success": True}),
)


def test_a_deploy_says_by_which_url_its_services_are_reached(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*DONE))
    routes = [route("http://shop.example/", "no ingress controller serves it"), route("https://shop.example/api")]
    gateway.answers("GET", "/v1/services", as_json([service(ONE, routes=routes, **SERVING), service(name="db")]))
    done = mill("deploy", mill.file(SHOP), "--namespace", "shop")
    assert (done.stdout, done.code) == ("  web: healthy\n  deployed (1.0s)\n", 0)
    assert done.stderr == (
        "  web: http://shop.example/ (no ingress controller serves it)\n"
        "  web: https://shop.example/api\n"
        "  help: `mill forward web --namespace shop` reaches a service without its route\n"
    )
    assert gateway.requests[-1] == ("GET", "/v1/services", {"name": "mill", "namespace": "shop"})
    for option in ("--json", "--quiet"):
        assert mill("deploy", mill.file(SHOP), option).stderr == ""


def test_a_deploy_without_routes_asks_for_none(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*DONE))
    done = mill("deploy", mill.file('service "web" {\n  image = "web:1"\n  port = 8080\n}\n'))
    assert (done.stderr, done.code, len(gateway.asked)) == ("", 0, 1)


def test_on_a_terminal_a_deploy_says_which_command_reaches_a_service(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*DONE))
    gateway.answers("GET", "/v1/services", as_json([service(ONE, **SERVING)]))
    command = [str(MILL), "deploy", mill.file('service "web" {\n  image = "web:1"\n  port = 8080\n}\n')]
    with Terminal(*command, environment=mill.environment(), folder=mill.folder) as terminal:
        assert terminal.end() == 0
        last = terminal.raw.decode().replace("\r\n", "\n").splitlines()[-1]
    assert last == "  web: `mill forward web`"
