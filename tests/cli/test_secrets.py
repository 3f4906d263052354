"""Secrets: where a value may come from, and that it is in no error."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import NOTHING, FakeGateway, as_json, refusal

VALUE = "hunter2-Ωµ"
ROUTE = "/v1/secrets/db.url"


@pytest.mark.parametrize(
    ("arguments", "stdin", "value"),
    [
        ([VALUE], None, VALUE),
        ([""], None, ""),
        (["--", "-v"], None, "-v"),
        (["two\nlines\n"], None, "two\nlines\n"),
        ([], f"{VALUE}\n", VALUE),
        (["-"], f"{VALUE}\r\n", VALUE),
        (["-"], "two\nlines\n\n", "two\nlines\n"),
        ([], "", ""),
        (["--from-file", "value"], None, f"  {VALUE}"),
    ],
)
def test_where_a_value_may_come_from(
    mill: Mill, gateway: FakeGateway, arguments: list[str], stdin: str | None, value: str
) -> None:
    mill.file(f"  {VALUE}\n", "value")
    gateway.answers("PUT", ROUTE, NOTHING)
    done = mill("secret", "set", "--namespace", "shop", "db.url", *arguments, stdin=stdin)
    assert (done.stdout, done.stderr, done.code) == ("", "secret db.url set\n", 0)
    (asked,) = gateway.asked
    assert asked.request == ("PUT", ROUTE, {"namespace": "shop"})
    assert (asked.headers["content-type"], json.loads(asked.body)) == ("application/json", {"value": value})


def test_json_of_a_secret_that_is_set_or_deleted_is_nothing(mill: Mill, gateway: FakeGateway) -> None:
    for method, words in (("PUT", ["set", "db.url", VALUE]), ("DELETE", ["delete", "db.url"])):
        gateway.answers(method, ROUTE, NOTHING)
        done = mill("secret", *words, "--json")
        assert (done.stdout, done.stderr, done.code) == ("", "", 0)


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "error"),
    [
        (["k", VALUE, "--from-file", "value"], None, 2, "error: the value is given twice\n"),
        (["k", VALUE, "more"], None, 2, "error: unexpected argument found\n"),
        (["k", "v", VALUE], None, 2, "error: unexpected argument found\n"),
        (["k", f"--{VALUE}"], None, 2, "error: unexpected argument found\n"),
        (["k", f"-{VALUE}"], None, 2, "error: unexpected argument found\n"),
        (["k", f"--json={VALUE}"], None, 2, "error: option '--json' does not take a value\n"),
        (["k", "--from-file", "gone"], None, 4, "error: gone: No such file or directory\n"),
        (["k", "--from-file", "."], None, 4, "error: .: Is a directory\n"),
        (["k", "--from-file", "latin1"], None, 4, "error: latin1: not UTF-8 at byte 4\n"),
        (["k"], b"hunter2\xff", 4, "error: standard input: not UTF-8 at byte 7\n"),
    ],
)
def test_no_value_is_in_an_error(
    mill: Mill, gateway: FakeGateway, arguments: list[str], stdin: bytes | None, code: int, error: str
) -> None:
    mill.file(VALUE, "value")
    Path(mill.folder, "latin1").write_bytes(b"hunt\xe9r2")
    done = mill("secret", "set", *arguments, stdin=stdin)
    assert (done.stdout, done.code, gateway.asked) == ("", code, [])
    assert done.stderr.startswith(error)
    assert not any(part in done.stderr for part in (VALUE, "hunt", "Ωµ"))


def test_a_value_that_is_refused_is_not_told(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("PUT", ROUTE, refusal(413, "all secrets of a namespace are more than 1 MiB"))
    done = mill("secret", "set", "db.url", VALUE, "--verbose")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == "error: all secrets of a namespace are more than 1 MiB\n"


def test_get_prints_the_value_as_it_is(mill: Mill, gateway: FakeGateway) -> None:
    found = {"name": "db.url", "value": f"{VALUE}\nsecond line"}
    gateway.answers("GET", ROUTE, as_json(found))
    done = mill("secret", "get", "db.url", "-n", "shop")
    assert (done.stdout, done.stderr, done.code) == (f"{VALUE}\nsecond line\n", "", 0)
    assert gateway.requests == [("GET", ROUTE, {"namespace": "shop"})]
    as_line = mill("secret", "get", "db.url", "--json")
    assert (json.loads(as_line.stdout), as_line.stdout.count("\n")) == (found, 1)


def test_a_name_is_one_part_of_the_path(mill: Mill, gateway: FakeGateway) -> None:
    route = "/v1/secrets/..%2Fx%3Fy%23%25"
    gateway.answers("GET", route, as_json({"name": "../x?y#%", "value": "v"}))
    assert mill("secret", "get", "../x?y#%").stdout == "v\n"
    gateway.answers("DELETE", route, NOTHING)
    done = mill("secret", "delete", "../x?y#%")
    assert (done.stdout, done.stderr, done.code) == ("", "secret ../x?y#% deleted\n", 0)
    assert gateway.requests == [("GET", route, {}), ("DELETE", route, {})]


@pytest.mark.parametrize("command", ["get", "delete"])
def test_an_unknown_secret_exits_with_1(mill: Mill, gateway: FakeGateway, command: str) -> None:
    gateway.answers("GET" if command == "get" else "DELETE", ROUTE, refusal(404, "secret not found"))
    done = mill("secret", command, "db.url")
    assert (done.stdout, done.stderr, done.code) == ("", "error: secret not found\n", 1)
