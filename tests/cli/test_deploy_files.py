"""What `mill deploy` and `mill diff` send: every form of a file; and files that are refused."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import TOKEN, Mill
from tests.cli.example_files import AS_MILL, BAD, PROBLEMS, RESOURCE
from tests.cli.fake_gateway import FakeGateway, as_json, refusal, rollout
from tests.cli.plans import DEPLOYED, DONE, PLAN

LOST = "note: <stdin>: only name and namespace of the metadata are deployed; `kubectl apply` uses all of it\n"


@pytest.fixture
def takes(gateway: FakeGateway) -> FakeGateway:
    """A gateway that has everything deployed at once."""
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    return gateway


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["-f", "blue.mill"], None),
        (["--file=blue.mill"], None),
        (["blue.mill"], None),
        ([], None),
        (["-f", "-"], AS_MILL),
        (["-"], AS_MILL),
        (["--", "-odd.mill"], None),
    ],
    ids=["short", "long", "positional", "default", "stdin by option", "stdin", "a dash"],
)
def test_a_mill_file_is_sent_as_it_is(mill: Mill, takes: FakeGateway, arguments: list[str], stdin: str | None) -> None:
    for name in ("blue.mill", "mill.conf", "-odd.mill"):
        mill.file(AS_MILL, name)
    done = mill("deploy", "-n", "shop", *arguments, stdin=stdin)
    assert (done.stdout, done.stderr, done.code) == (DEPLOYED, "", 0)
    (asked,) = takes.asked
    assert (asked.request, asked.body) == (
        ("POST", "/v1/deploy", {"namespace": "shop", "detail": "full"}),
        AS_MILL.encode(),
    )
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    ("form", "options", "query", "note"),
    [
        ("yaml", [], {"name": "blue", "namespace": "shop"}, ""),
        ("json", ["--force"], {"name": "blue", "namespace": "shop", "force": "true"}, ""),
        ("yaml", ["--name", "green", "-v"], {"name": "green", "namespace": "shop"}, ""),
        ("anonymous", [], {}, ""),
        ("labels", ["-n", "other"], {"name": "blue", "namespace": "other"}, LOST),
    ],
)
def test_a_milldeployment_is_sent_as_a_mill_file_with_its_name_and_namespace(
    mill: Mill, takes: FakeGateway, form: str, options: list[str], query: dict[str, str], note: str
) -> None:
    text = {
        "yaml": RESOURCE,
        "json": mill("render", "-", "-o", "json", stdin=RESOURCE).stdout,
        "anonymous": RESOURCE.replace("metadata:\n  name: blue\n  namespace: shop\n", ""),
        "labels": RESOURCE.replace("  name: blue\n", "  name: blue\n  labels: {team: shop}\n"),
    }[form]
    done = mill("deploy", "-f", "-", *options, stdin=text)
    assert (done.stdout, done.stderr, done.code) == (DEPLOYED, note, 0)
    (asked,) = takes.asked
    assert (asked.query, asked.body) == (query | {"detail": "full"}, AS_MILL.encode())


def test_a_milldeployment_that_is_wrong_is_not_sent(mill: Mill, takes: FakeGateway) -> None:
    done = mill("deploy", mill.file(RESOURCE.replace("replicas:", "replica:"), "blue.yaml"))
    assert (done.stdout, done.code, takes.asked) == ("", 1, [])
    assert done.stderr.startswith(
        "error: invalid config: spec.services[0].replica: unknown field\n  --> blue.yaml:10:5\n"
    )


@pytest.mark.parametrize("command", ["deploy", "diff"])
def test_what_the_gateway_finds_wrong_is_shown_with_its_places(mill: Mill, gateway: FakeGateway, command: str) -> None:
    told = "invalid config: parse error: unknown attribute `prot`"
    refused = refusal(400, told, diagnostics=[{"line": 3}])
    gateway.answers("POST", "/v1/deploy", refused)
    if command == "diff":
        gateway.plans(refused)
    done = mill(command, mill.file(BAD, "bad.mill"))
    shown = PROBLEMS.replace("FILE", "bad.mill").replace("error: ", "error: invalid config: ", 1)
    assert (done.stdout, done.stderr, done.code) == ("", shown, 1)
    newer = mill(command, mill.file(AS_MILL))  # a gateway of another version, which has rules that this mill has not
    assert (newer.stdout, newer.stderr, newer.code) == ("", f"error: {told}\n", 1)


def test_a_file_that_is_no_text_is_the_gateways_to_refuse(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", refusal(400, "invalid config: parse error: not UTF-8", diagnostics=[]))
    Path(mill.folder, "bad.mill").write_bytes(b'service "\xff" {\n}\n')
    done = mill("deploy", "bad.mill")
    assert (done.stdout, done.code, gateway.asked[0].body) == ("", 1, b'service "\xff" {\n}\n')
    assert done.stderr.startswith("error: invalid config: ")


PLAN_LINES = """\
+ service new: added
~ service broken: changed
    image: web:1 → web:�[31m2
    env.A: (none) → a b
    health: {"path": "/ü"} → (none)
- task migrate: removed
shop/mill: 1 added, 1 changed, 1 removed, 1 unchanged
"""


def test_diff_shows_the_changes_of_a_dry_run(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(PLAN))
    file = mill.file(AS_MILL)
    done = mill("diff", file, "-n", "shop")
    assert (done.stdout, done.stderr, done.code) == (PLAN_LINES, "", 0)
    assert mill("diff", "-f", file, "--exit-code", "--force").code == 1
    as_line = mill("diff", file, "--json", "--exit-code")
    assert (json.loads(as_line.stdout), as_line.stdout.count("\n"), as_line.code) == (PLAN, 1, 1)
    shown = {"allowEmpty": "true", "replaceAll": "true", "system": "true"}
    assert [each.query for each in gateway.planned] == [
        {"namespace": "shop"} | shown,
        {"force": "true"} | shown,
        shown,
    ]
    assert {each.body for each in gateway.planned} == {AS_MILL.encode()}
    assert gateway.asked == []


def test_diff_of_nothing_and_of_something_new(mill: Mill, gateway: FakeGateway) -> None:
    same = PLAN | {"changed": False, "services": PLAN["services"][:1], "tasks": []}
    new = PLAN | {"created": True, "services": PLAN["services"][1:2], "tasks": []}
    gateway.plans(as_json(same), as_json(new))
    file = mill.file(AS_MILL)
    done = mill("diff", file, "--exit-code")
    assert (done.stdout, done.code) == ("shop/mill: no changes\n", 0)
    assert mill("diff", file).stdout == "+ service new: added\nshop/mill: new; 1 added\n"
