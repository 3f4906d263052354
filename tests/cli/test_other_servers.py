"""An address at which something else answers: which server it is, how it answered, and what to check."""

import json
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Mill
from tests.cli.example_files import AS_MILL
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal

GO = Answer(404, {"Content-Type": "text/plain"}, (b"404 page not found\n",))
PAGE = b"<!DOCTYPE html>\n<html><head><TITLE>Welcome\nto \x1b[1mnginx!</TITLE></head></html>"
CHECK = "  help: check the address: --address, MILL_ADDRESS\n"


def answered(url: str, how: str) -> str:
    """Return the message about a server."""
    return f"error: no mill gateway answers there (address: {url}): {how}\n"


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (GO, "BaseHTTP/0.6 Python/*: HTTP 404, 404 page not found"),
        (Answer(404), "BaseHTTP/0.6 Python/*: HTTP 404"),
        (as_json({"detail": "Not Found"}, 404), 'BaseHTTP/0.6 Python/*: HTTP 404, {"detail": "Not Found"}'),
        (
            Answer(405, {"Content-Type": "text/html; charset=utf-8"}, (PAGE,)),
            "BaseHTTP/0.6 Python/*: HTTP 405, the page “Welcome to �[1mnginx!”",
        ),
        (Answer(501, {"Content-Type": "text/html"}, (b"<h1>no",)), "BaseHTTP/0.6 Python/*: HTTP 501, a page"),
        (
            Answer(200, {"Content-Type": "text/html"}, (PAGE,)),
            "BaseHTTP/0.6 Python/*: HTTP 200, the page “Welcome to �[1mnginx!”",
        ),
    ],
)
def test_the_server_and_its_answer_are_named(mill: Mill, gateway: FakeGateway, answer: Answer, how: str) -> None:
    gateway.answers("GET", "/v1/nodes", answer)
    done = mill("nodes")
    server, _, shown = how.partition(": ")
    first, advice = done.stderr.splitlines(keepends=True)
    assert (done.stdout, done.code, advice) == ("", 2, CHECK)
    before, _, after = server.partition("*")
    assert first.startswith(f"error: no mill gateway answers there (address: {gateway.url}): {before}")
    assert first.endswith(f"{after} answered {shown}\n")


def test_a_deploy_to_another_server(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(GO)
    gateway.answers("POST", "/v1/deploy", GO)
    done = mill("deploy", mill.file(AS_MILL))
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr.startswith("error: no mill gateway answers there ")
    told = json.loads(mill("deploy", "production.mill", "--json").stderr)
    assert (told["code"], told["status"]) == ("not_a_gateway", 404)


def test_a_server_that_expects_tls(mill: Mill, gateway: FakeGateway) -> None:
    text = b"Client sent an HTTP request to an HTTPS server.\n"
    gateway.answers("GET", "/v1/nodes", Answer(400, {"Content-Type": "text/plain"}, (text,)))
    done = mill("nodes")
    assert (done.code, done.stderr.splitlines()[-1]) == (2, "  help: use https:// instead of http://")


def test_an_api_server_at_the_address(mill: Mill, gateway: FakeGateway) -> None:
    status = {"kind": "Status", "message": "the server could not find the requested resource"}
    gateway.answers("GET", "/v1/nodes", as_json(status, 404))
    assert mill("nodes").stderr == (
        "error: the API server answered 404: the server could not find the requested resource\n"
        "  help: the address is that of a Kubernetes API server: use --context to connect through it\n"
    )


def test_what_a_gateway_does_not_find_is_its_own_error(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", refusal(404, "no such path: /v1/nodes"))
    assert (mill("nodes").stderr, mill("nodes").code) == ("error: no such path: /v1/nodes\n", 1)


def test_hints_for_a_user_with_a_cluster(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", GO)
    kubeconfig = str(mill.folder / mill.file("{}", "kubeconfig"))
    hints = mill("nodes", KUBECONFIG=kubeconfig).stderr.splitlines(keepends=True)[1:]
    assert hints == [
        CHECK,
        "  help: use --context to connect to the gateway in the cluster of a kubeconfig context\n",
    ]
    default = mill.having("target", DEFAULT_ADDRESS=gateway.url)("nodes", MILL_ADDRESS="")
    assert default.stderr.splitlines()[1] == (
        "  help: something else listens at the default address: set the gateway's with --address or MILL_ADDRESS"
    )


class _Redis(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"-ERR unknown command\r\n-ERR unknown command\r\n\r\n")


@pytest.fixture
def redis() -> Iterator[str]:
    """The address of a server that speaks another protocol."""
    with socketserver.TCPServer(("127.0.0.1", 0), _Redis) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_server_of_another_protocol(mill: Mill, redis: str) -> None:
    done = mill("nodes", MILL_ADDRESS=redis)
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr == answered(redis, "the answer is not HTTP") + CHECK
