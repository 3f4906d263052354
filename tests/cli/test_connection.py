"""No way to the gateway, or one that leads elsewhere: which code, what to do, and where a token is not sent."""

import re
from collections.abc import Iterator

import pytest

from tests.cli.conftest import TOKEN, Mill
from tests.cli.fake_gateway import NOTHING, Answer, FakeGateway, as_json, moved, rollout
from tests.cli.test_deploy import EVENTS, LINES, SEED

REFUSED = "error: connection refused — is the cluster running? (address: http://127.0.0.1:1)\n"
ADDRESS = "  help: --address or MILL_ADDRESS says where the gateway is\n"
CONTEXT = "  help: --context reaches the gateway of a kubeconfig's cluster\n"


@pytest.fixture
def other() -> Iterator[FakeGateway]:
    """Another server."""
    with FakeGateway().running() as running:
        yield running


def test_nobody_listens(mill: Mill) -> None:
    file = mill.file(SEED)
    for arguments in (["nodes"], ["nodes", "--json"], ["deploy", file], ["deploy", file, "--json"], ["logs", "web"]):
        done = mill(*arguments, MILL_ADDRESS="http://127.0.0.1:1/")
        assert (done.stdout, done.stderr, done.code) == ("", REFUSED, 2)


def test_nobody_listens_where_nobody_has_chosen(mill: Mill) -> None:
    nowhere, environment = mill.nowhere(), {"MILL_ADDRESS": ""}
    done = nowhere("nodes", **environment)
    assert (done.stderr, done.code) == (REFUSED + ADDRESS, 2)
    kubeconfig = mill.folder / mill.file("{}", "kubeconfig")
    done = nowhere("nodes", KUBECONFIG=f"/gone:{kubeconfig}", **environment)
    assert (done.stderr, done.code) == (REFUSED + ADDRESS + CONTEXT, 2)
    (mill.folder / ".kube").mkdir()
    kubeconfig.rename(mill.folder / ".kube" / "config")
    assert nowhere("nodes", **environment).stderr == REFUSED + ADDRESS + CONTEXT


def test_a_context_without_kubectl(mill: Mill) -> None:
    done = mill("nodes", "--context", "shop", PATH=str(mill.folder))
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr == "error: --context needs kubectl, which is not here\n  help: install it, or give --address\n"


def test_a_host_that_there_is_not(mill: Mill) -> None:
    done = mill("nodes", MILL_ADDRESS="http://nothing.invalid:4400")
    assert (done.stdout, done.code) == ("", 2)
    assert re.fullmatch(
        r"error: cannot connect: .*[Nn]ame.* \(address: http://nothing\.invalid:4400\)\n"
        r"  help: is the address right\?\n",
        done.stderr,
    )


def test_http_where_tls_is_expected(mill: Mill, gateway: FakeGateway) -> None:
    address = gateway.url.replace("http:", "https:")
    done = mill("nodes", MILL_ADDRESS=address)
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr.startswith("error: no TLS there: ")
    assert done.stderr.endswith(f"(address: {address})\n  help: is it http:// rather than https://?\n")


def test_no_answer_to_a_question(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", Answer(reset=True))
    done = mill("nodes")
    assert (done.stdout, done.code) == ("", 1)
    assert re.fullmatch(r"error: request failed: .+ \(address: .+\)\n  help: try again\n", done.stderr)


def test_half_an_answer(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", Answer(200, {}, (b"[",), cut=True))
    done = mill("nodes")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith("error: request failed: peer closed connection")


def test_a_slow_answer_is_waited_for_and_none_is_not(mill: Mill, gateway: FakeGateway) -> None:
    slow = Answer(200, {}, (0.5, b"[", 0.5, b"]"))
    gateway.answers("GET", "/v1/nodes", slow)
    assert mill("nodes", "--json").stdout == "[]\n"
    done = mill.having("client", ANSWER_SECONDS=0.2)("nodes")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == f"error: request failed: no answer in time (address: {gateway.url})\n  help: try again\n"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_machine_is_followed(
    mill: Mill, gateway: FakeGateway, other: FakeGateway, status: int
) -> None:
    gateway.answers("POST", "/v1/deploy", moved(status, f"{other.url}/mill/v1/deploy?namespace=shop"))
    other.answers("POST", "/mill/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", mill.file(SEED), "-n", "shop")
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)
    for asked in (*gateway.asked, *other.asked):
        assert (asked.method, asked.query, asked.body) == ("POST", {"namespace": "shop"}, SEED.encode())
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_a_redirect_of_a_name_that_is_percent_encoded(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("DELETE", "/v1/secrets/a%2Fb%20%C3%A4", moved(308, "/mill/v1/secrets/a%2Fb%20%C3%A4"))
    gateway.answers("DELETE", "/mill/v1/secrets/a%2Fb%20%C3%A4", NOTHING)
    done = mill("secret", "delete", "a/b ä")
    assert (done.stderr, done.code) == ("secret a/b ä deleted\n", 0)


def test_after_a_redirect_further_requests_go_there_at_once(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/status", moved(307, "/mill/v1/status"))
    for path in ("status", "services", "tasks", "nodes"):
        gateway.answers("GET", f"/mill/v1/{path}", as_json({} if path == "status" else []))
    assert mill("status").code == 0
    assert [each.path for each in gateway.asked] == [
        "/v1/status",
        *(f"/mill/v1/{each}" for each in ("status", "services", "tasks", "nodes")),
    ]


@pytest.mark.parametrize(
    "to", ["http://localhost:{port}/v1/nodes", "http://localhost:{port}/login?next=nodes", "{here}/login?token=tok"]
)
def test_a_redirect_elsewhere_is_refused(mill: Mill, gateway: FakeGateway, other: FakeGateway, to: str) -> None:
    there = to.format(port=other.url.rpartition(":")[2], here=gateway.url)
    gateway.answers("GET", "/v1/nodes", moved(307, there))
    done = mill("nodes")
    assert (done.stdout, done.code, other.asked, len(gateway.asked)) == ("", 1, [], 1)
    shown = there.partition("?")[0]
    assert done.stderr == (
        f"error: redirected to {shown} (address: {gateway.url})\n  help: if that is the gateway, give it as --address\n"
    )


def test_redirects_without_end(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", moved(307, "/v1/nodes"))
    done = mill("nodes")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == f"error: redirected more than 5 times (address: {gateway.url})\n"
    assert len(gateway.asked) <= 6
