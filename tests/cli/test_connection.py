"""No way to the gateway, or one that leads elsewhere: which code, what to do, and where a token is not sent."""

import re
from collections.abc import Iterator

import pytest

from tests.cli.conftest import TOKEN, Mill
from tests.cli.fake_gateway import NOTHING, Answer, FakeGateway, as_json, moved, rollout
from tests.cli.seed import EVENTS, LINES, SEED

REFUSED = "error: connection refused — is the cluster running? (address: http://127.0.0.1:1)\n"
ADDRESS = "  help: set the gateway's address with --address or MILL_ADDRESS\n"
START = "  help: `make start` in the repository of mill starts a gateway on this machine\n"
CONTEXT = "  help: use --context to connect to the gateway in the cluster of a kubeconfig context\n"


@pytest.fixture
def other() -> Iterator[FakeGateway]:
    """Another server."""
    with FakeGateway().running() as running:
        yield running


def test_a_refused_connection_exits_with_2(mill: Mill) -> None:
    file = mill.file(SEED)
    for arguments in (["nodes"], ["deploy", file], ["logs", "web"]):
        done = mill(*arguments, MILL_ADDRESS="http://127.0.0.1:1/")
        assert (done.stdout, done.stderr, done.code) == ("", REFUSED, 2)


def test_a_refused_connection_to_the_default_address_has_a_hint(mill: Mill) -> None:
    nowhere, environment = mill.nowhere(), {"MILL_ADDRESS": ""}
    done = nowhere("nodes", **environment)
    assert (done.stderr, done.code) == (REFUSED + ADDRESS + START, 2)
    kubeconfig = mill.folder / mill.file("{}", "kubeconfig")
    done = nowhere("nodes", KUBECONFIG=f"/gone:{kubeconfig}", **environment)
    assert (done.stderr, done.code) == (REFUSED + ADDRESS + CONTEXT + START, 2)
    (mill.folder / ".kube").mkdir()
    kubeconfig.rename(mill.folder / ".kube" / "config")
    assert nowhere("nodes", **environment).stderr == REFUSED + ADDRESS + CONTEXT + START


def test_a_context_without_kubectl(mill: Mill) -> None:
    done = mill("nodes", "--context", "shop", PATH=str(mill.folder))
    assert (done.stdout, done.code) == ("", 2)
    assert (
        done.stderr
        == "error: --context needs kubectl, which is not installed\n  help: install kubectl, or use --address\n"
    )


def test_an_unknown_host_is_a_failed_connection(mill: Mill) -> None:
    done = mill("nodes", MILL_ADDRESS="http://nothing.invalid:4400")
    assert (done.stdout, done.code) == ("", 2)
    assert re.fullmatch(
        r"warning: the token is sent to nothing\.invalid without encryption \(http://\)\n"
        r"  help: use https://, or --context to connect through the API server\n"
        r"error: cannot connect: .*[Nn]ame.* \(address: http://nothing\.invalid:4400\)\n"
        r"  help: check the address\n",
        done.stderr,
    )


def test_http_where_tls_is_expected(mill: Mill, gateway: FakeGateway) -> None:
    address = gateway.url.replace("http:", "https:")
    done = mill("nodes", MILL_ADDRESS=address)
    assert (done.stdout, done.code) == ("", 2)
    assert done.stderr == (
        f"error: the server does not use TLS (address: {address})\n  help: use http:// in the address: {gateway.url}\n"
    )


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
@pytest.mark.parametrize("origin", ["", "{here}", "http://evil:pw@127.0.0.1:{port}"])
def test_a_redirect_on_the_same_origin_is_followed(mill: Mill, gateway: FakeGateway, status: int, origin: str) -> None:
    base = origin.format(here=gateway.url, port=gateway.url.rpartition(":")[2])
    gateway.answers("POST", "/v1/deploy", moved(status, f"{base}/mill/v1/deploy?namespace=shop&detail=full"))
    gateway.answers("POST", "/mill/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", mill.file(SEED), "-n", "shop")
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)
    assert len(gateway.asked) == 2
    query = {"namespace": "shop", "detail": "full"}
    for asked in gateway.asked:
        assert (asked.method, asked.query, asked.body) == ("POST", query, SEED.encode())
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
    ("to", "advice"),
    [
        ("http://127.0.0.1:{port}/v1/nodes", "use `--address http://127.0.0.1:{port}`"),
        ("http://127.0.0.1:{port}/$x/v1/nodes", "use `--address 'http://127.0.0.1:{port}/$x'`"),
        ("http://localhost:{port}/v1/nodes", "use `--address http://localhost:{port}`"),
        ("https://127.0.0.1:{port}/v1/nodes", "use `--address https://127.0.0.1:{port}`"),
        ("http://localhost:{port}/login?next=nodes", "set it as --address"),
        ("{here}/login?token=tok", "set it as --address"),
    ],
)
def test_a_redirect_elsewhere_is_refused(
    mill: Mill, gateway: FakeGateway, other: FakeGateway, to: str, advice: str
) -> None:
    port = other.url.rpartition(":")[2]
    there = to.format(port=port, here=gateway.url)
    gateway.answers("GET", "/v1/nodes", moved(307, there))
    done = mill("nodes")
    assert (done.stdout, done.code, other.asked, len(gateway.asked)) == ("", 1, [], 1)
    shown = there.partition("?")[0]
    assert done.stderr == (
        f"error: redirected to {shown} (address: {gateway.url})\n"
        f"  help: if that is the gateway, {advice.format(port=port)}\n  help: mill did not send the token there\n"
    )


def test_a_token_that_others_can_read_is_warned_of_once(mill: Mill, gateway: FakeGateway) -> None:
    for path in ("status", "services", "tasks", "nodes"):
        gateway.answers("GET", f"/v1/{path}", as_json({} if path == "status" else []))
    proxied = {"MILL_ADDRESS": "http://mill.example:4400", "HTTP_PROXY": gateway.url}
    warning = (
        "warning: the token is sent to mill.example through the proxy 127.0.0.1 without encryption (http://)\n"
        "  help: use https://, or --context to connect through the API server\n"
    )
    done = mill("status", **proxied)
    assert (done.stderr, done.code, len(gateway.asked)) == (warning, 0, 4)
    assert gateway.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert mill("status", MILL_TOKEN="", **proxied).stderr == ""
    assert mill("status").stderr == ""
    completing = {"_MILL_COMPLETE": "bash_complete", "COMP_WORDS": "mill kill ", "COMP_CWORD": "2"}
    assert mill(**completing, **proxied).stderr == ""


def test_no_password_of_netrc_is_sent(mill: Mill, gateway: FakeGateway) -> None:
    (mill.folder / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    gateway.answers("GET", "/v1/nodes", as_json([]))
    assert mill("nodes", MILL_TOKEN="").code == 0
    assert "authorization" not in gateway.asked[0].headers


def test_redirects_without_end(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", moved(307, "/v1/nodes"))
    done = mill("nodes")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == f"error: redirected more than 5 times (address: {gateway.url})\n"
    assert len(gateway.asked) <= 6
