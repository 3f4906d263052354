"""Answers that are no good: each ends with 1, and with words that say what to do."""

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal
from tests.cli.seed import SEED

REQUEST = "  help: see request 7707679e566ef2f9 in the gateway's log\n"
PAGE = Answer(502, {"Content-Type": "text/html"}, (b"<html>\r\n<h1>Bad \x1b[1mGateway</h1>\n" + b"x" * 5000,))
STATUS = Answer(
    503, {"Content-Type": "application/json"}, (b'{"kind": "Status", "message": "no endpoints\\nfor \\"mill\\""}',)
)


def text(status: int, body: bytes) -> Answer:
    return Answer(status, {"Content-Type": "text/plain"}, (body,))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(400, "query.tail: must be 0 or more"), "error: query.tail: must be 0 or more\n"),
        (
            refusal(401, "no token"),
            "error: no token\n  help: check that the token is a valid one of this gateway\n",
        ),
        (
            text(401, b""),
            "error: HTTP 401: \n  help: check that the token is a valid one of this gateway\n",
        ),
        (refusal(403, "jane may not list nodes"), "error: jane may not list nodes\n"),
        (refusal(404, "no such path: /v1/nodes"), "error: no such path: /v1/nodes\n"),
        (refusal(409, "volume is attached"), "error: volume is attached\n"),
        (text(413, b"length limit exceeded"), "error: HTTP 413: length limit exceeded\n"),
        (refusal(500, "internal error"), f"error: internal error\n{REQUEST}"),
        (refusal(503, "the API server is away"), f"error: the API server is away\n{REQUEST}"),
        (text(503, b""), "error: HTTP 503: \n"),
        (refusal(400, "two\nlines \x1b[31mred"), "error: two\nlines �[31mred\n"),
        (PAGE, f"error: HTTP 502: {'<html> <h1>Bad �[1mGateway</h1> ':x<500}\n"),
        (text(418, b'{"error": 5}'), 'error: HTTP 418: {"error": 5}\n'),
        (text(418, b'"\xff"'), 'error: HTTP 418: "�"\n'),
    ],
)
def test_an_error_of_the_gateway_is_shown_with_hints(
    mill: Mill, gateway: FakeGateway, answer: Answer, error: str
) -> None:
    gateway.answers("GET", "/v1/nodes", answer)
    done = mill("nodes")
    assert (done.stdout, done.stderr, done.code) == ("", error, 1)
    assert len(gateway.asked) == 1


def test_of_the_api_server_before_the_gateway(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", STATUS)
    done = mill("nodes")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith('error: the API server answered 503: no endpoints for "mill"\n')


def test_who_has_no_token_is_told_how_to_give_one(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", refusal(401, "no token"))
    done = mill("nodes", MILL_TOKEN="")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == "error: no token\n  help: set MILL_TOKEN to a token of the gateway\n"


CREATE = (
    "  help: create a token of a ServiceAccount: "
    "`export MILL_TOKEN=$(kubectl create token SERVICEACCOUNT --audience mill)`\n"
)


def test_who_has_a_cluster_is_told_how_to_make_a_token_for_the_gateway(mill: Mill, gateway: FakeGateway) -> None:
    kubeconfig = {"KUBECONFIG": str(mill.folder / mill.file("{}", "kubeconfig"))}
    gateway.answers("GET", "/v1/nodes", refusal(401, "no token"))
    assert mill("nodes", **kubeconfig).stderr == (
        f"error: no token\n  help: check that the token is a valid one of this gateway\n{CREATE}"
    )
    told = mill("nodes", MILL_TOKEN="", **kubeconfig).stderr
    assert told == f"error: no token\n  help: set MILL_TOKEN to a token of the gateway\n{CREATE}"
    gateway.answers("GET", "/v1/nodes", refusal(401, "no token: `kubectl create token NAME --audience mill` makes one"))
    assert CREATE not in mill("nodes", **kubeconfig).stderr


@pytest.mark.parametrize(
    ("token", "error", "advice"),
    [
        (
            "wrong",
            "the gateway does not accept the token",
            "check that the token is a valid one of this gateway",
        ),
        ("", "the gateway requires a token", "set MILL_TOKEN to a token of the gateway"),
    ],
)
def test_a_missing_token_and_a_wrong_one_are_told_apart(
    mill: Mill, gateway: FakeGateway, token: str, error: str, advice: str
) -> None:
    told = "missing or wrong token: set MILL_TOKEN, or send `Authorization: Bearer TOKEN`"
    kubectl = f"{told}; `kubectl create token SERVICEACCOUNT --audience https://mill.example` makes one"
    gateway.answers(
        "GET", "/v1/nodes", *(refusal(401, each, code="authentication_required") for each in (told, kubectl))
    )
    shown = f"error: {error}\n  help: {advice}\n"
    assert mill("nodes", MILL_TOKEN=token).stderr == shown
    assert mill("nodes", MILL_TOKEN=token).stderr == shown + CREATE.replace(
        "--audience mill", "--audience https://mill.example"
    )


def test_a_login_that_the_api_server_refuses_is_not_the_tokens(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", as_json({"kind": "Status", "message": "Unauthorized"}, 401))
    assert mill("nodes").stderr == (
        "error: the API server answered 401: Unauthorized\n"
        "  help: the cluster does not accept kubectl's credentials: check them with `kubectl auth whoami`\n"
    )


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            refusal(401, "no token"),
            "error: no token\n  help: check that the token is a valid one of this gateway\n",
        ),
        (refusal(403, "jane may not patch milldeployments"), "error: jane may not patch milldeployments\n"),
        (
            refusal(409, "MillDeployment shop/mill is managed by Argo CD: … `mill deploy --force` …", owner="Argo CD"),
            "error: MillDeployment shop/mill is managed by Argo CD: … `mill deploy --force` …\n",
        ),
        (refusal(413, "a body of more than 2 MiB"), "error: a body of more than 2 MiB\n"),
        (refusal(503, "the gateway has only just started"), f"error: the gateway has only just started\n{REQUEST}"),
        (
            Answer(200, {"Content-Type": "text/html; charset=utf-8"}, (b"<html>welcome</html>",)),
            "error: HTTP 200: text/html instead of events\n  help: check that ADDRESS is a mill gateway\n",
        ),
        (
            Answer(200, {}, (b"welcome",)),
            "error: HTTP 200: no content type instead of events\n  help: check that ADDRESS is a mill gateway\n",
        ),
    ],
)
def test_a_deploy_that_is_refused_is_sent_once(mill: Mill, gateway: FakeGateway, answer: Answer, error: str) -> None:
    gateway.answers("POST", "/v1/deploy", answer)
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == ("", error.replace("ADDRESS", gateway.url), 1)
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>welcome</html>", "invalid JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"[{]", "invalid JSON: Expecting property name enclosed in double quotes: line 1 column 3 (char 2)"),
        (b"\xff\xfe\xfd", "invalid JSON: "),
    ],
)
def test_a_good_answer_that_is_no_json(mill: Mill, gateway: FakeGateway, body: bytes, error: str) -> None:
    gateway.answers("GET", "/v1/nodes", Answer(200, {"Content-Type": "application/json"}, (body,)))
    done = mill("nodes")
    assert (done.stdout, done.code) == ("", 1)
    first, advice = done.stderr.splitlines()
    assert first.startswith(f"error: HTTP 200: {error}")
    assert advice == f"  help: check that {gateway.url} is a mill gateway"


@pytest.mark.parametrize("arguments", [["nodes"], ["secret", "get", "k"], ["spawn", "x"], ["history"], ["status"]])
def test_an_answer_without_anything(mill: Mill, gateway: FakeGateway, arguments: list[str]) -> None:
    for method, path in (
        ("GET", "/v1/nodes"),
        ("GET", "/v1/secrets/k"),
        ("POST", "/v1/tasks/spawn"),
        ("GET", "/v1/deployments/mill"),
        ("GET", "/v1/deployments/mill/revisions"),
        *(("GET", f"/v1/{each}") for each in ("status", "services", "tasks")),
    ):
        gateway.answers(method, path, Answer(200))
    done = mill(*arguments)
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith("error: unexpected answer of the gateway: ")
