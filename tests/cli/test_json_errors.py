"""Errors with `--json`: one line of JSON on standard error, of one shape, whatever has failed."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mill_cli
from mill_cli.error_codes import ERROR_CODES
from mill_cli.errors import CliError, Exit
from tests.cli.conftest import TOKEN, Mill
from tests.cli.example_files import BAD, RESOURCE
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal

SOURCES = Path(mill_cli.__file__).parent


def error_of(mill: Mill, *arguments: str, code: int, **variables: str) -> Any:
    """Return the error of a command that prints nothing else."""
    done = mill(*arguments, **variables)
    assert (done.stdout, done.code, done.stderr.count("\n")) == ("", code, 1)
    return json.loads(done.stderr)


@pytest.mark.parametrize(
    ("arguments", "message", "advice"),
    [
        (["--json", "xyzzy"], "unrecognized subcommand 'xyzzy'", None),
        (["xyzzy", "--json"], "unrecognized subcommand 'xyzzy'", None),
        (["ps", "--json", "--xyzzy"], "unexpected argument '--xyzzy' found", None),
        (["restart", "--json"], "the following required argument was not provided: <SERVICE>", None),
        (
            ["logs", "x", "--tail", "many", "--json"],
            "invalid value for --tail <N>: 'many' is not a valid integer",
            None,
        ),
        (["--json"], "missing command", None),
        (["secret", "--json"], "missing command", None),
        (["--json", "secret"], "missing command", None),
        (["ps", "--json", "-q", "-v"], "--quiet and --verbose exclude each other", ["give one of them"]),
        (["spawn", "--json"], "either a task template name or --image is required", None),
    ],
)
def test_wrong_usage(mill: Mill, arguments: list[str], message: str, advice: list[str] | None) -> None:
    told = error_of(mill, *arguments, code=2)
    assert (told["error"], told["code"], told.get("help")) == (message, "wrong_usage", advice)


def test_an_argument_that_looks_like_the_option_is_none(mill: Mill) -> None:
    assert mill("restart", "--", "a", "--json").stderr.startswith("error: unexpected argument '--json' found\n")


@pytest.mark.parametrize("arguments", [["nodes"], ["logs", "web"], ["restart", "web"], ["deploy", "good.mill"]])
def test_an_error_of_the_gateway_with_all_that_it_has(mill: Mill, gateway: FakeGateway, arguments: list[str]) -> None:
    mill.file('service "web" {\n  image = "web:1"\n}\n', "good.mill")
    refused = refusal(409, "managed by Argo CD", code="managed_by_gitops", owner="Argo CD")
    for method, path in (("GET", "nodes"), ("GET", "logs/web"), ("POST", "restart/web"), ("POST", "deploy")):
        gateway.answers(method, f"/v1/{path}", refused)
    assert error_of(mill, *arguments, "--json", code=1) == {
        "error": "managed by Argo CD",
        "code": "managed_by_gitops",
        "status": 409,
        "owner": "Argo CD",
        "request": "7707679e566ef2f9",
    }


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(502, {"Content-Type": "text/html"}, (b"<html>\x1b[31m",)), "http_error"),
        (as_json({"kind": "Status", "message": "no endpoints", "code": 503}, 503), "http_error"),
        (as_json({"error": "old", "code": 5}, 400), "http_error"),
        (Answer(200, {}, (b"welcome",)), "unexpected_answer"),
        (as_json(5), "unexpected_answer"),
        (Answer(reset=True), "no_answer"),
        (Answer(307, {"Location": "http://localhost:1/v1/nodes"}), "redirected"),
    ],
)
def test_answers_that_are_no_errors_of_the_gateway(mill: Mill, gateway: FakeGateway, answer: Answer, code: str) -> None:
    gateway.answers("GET", "/v1/deployments/mill/revisions", answer)
    told = error_of(mill, "history", "--json", code=1)
    assert told["code"] == code
    assert "\x1b" not in told["error"]


def test_no_connection(mill: Mill) -> None:
    told = error_of(mill, "deploy", mill.file(RESOURCE, "a.yaml"), "--json", code=2, MILL_ADDRESS="http://127.0.0.1:1")
    assert (told["code"], told["error"].partition(" —")[0]) == ("cannot_connect", "connection refused")


@pytest.mark.parametrize("command", ["deploy", "diff", "render"])
@pytest.mark.parametrize(
    ("name", "text", "places", "message"),
    [
        ("bad.mill", BAD, [(3, 3), (4, 12)], "service.web.prot: unknown attribute `prot` in `service` (and 1 more)"),
        (
            "bad.yaml",
            RESOURCE.replace("web:1", "[]"),
            [(9, 5)],
            "spec.services[0].image: Input should be a valid string",
        ),
    ],
)
def test_a_file_with_problems(
    mill: Mill, gateway: FakeGateway, command: str, name: str, text: str, places: list[tuple[int, int]], message: str
) -> None:
    gateway.answers("POST", "/v1/deploy", refusal(400, "invalid config: …", diagnostics=[{"line": 3}]))
    gateway.plans(refusal(400, "invalid config: …", diagnostics=[{"line": 3}]))
    told = error_of(mill, command, mill.file(text, name), "--json", code=1)
    line, column = places[0]
    assert (told["error"], told["code"]) == (f"invalid config: {name}:{line}:{column}: {message}", "invalid_mill_file")
    assert [(each["filename"], each["line"], each["column"]) for each in told["diagnostics"]] == [
        (name, *place) for place in places
    ]
    validated = [json.loads(line) for line in mill("validate", name, "--json").stdout.splitlines()]
    assert told["diagnostics"] == validated


def test_other_errors_of_files(mill: Mill) -> None:
    assert error_of(mill, "deploy", "gone.mill", "--json", code=4)["code"] == "cannot_read_file"
    assert error_of(mill, "deploy", mill.file("# nothing\n"), "--json", code=1)["code"] == "empty_mill_file"
    assert error_of(mill, "explain", "TagNotFuond", "--json", code=1)["code"] == "unknown_failure_code"


def test_private_arguments_stay_private(mill: Mill) -> None:
    done = mill("secret", "set", "a", "b", TOKEN, "--json")
    assert json.loads(done.stderr)["error"] == "unexpected argument found"


def codes() -> Iterator[str]:
    """Yield every code that a module of the command line gives to an error."""
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "kind":
                yield from (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and each.value)
    yield from (CliError(code, "").kind for code in Exit if code not in (Exit.SUCCESS, Exit.INTERRUPTED))


def test_every_code_has_a_meaning_in_the_documentation() -> None:
    assert sorted(set(codes())) == sorted(ERROR_CODES)
