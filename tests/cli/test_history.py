"""`mill history`: the table of revisions, the file of one, and what Mill without revisions shows."""

import json

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal, rollout
from tests.cli.revisions import NOW, revision
from tests.cli.seed import SEED

REVISIONS = "/v1/deployments/mill/revisions"
FILE = 'service "web" {\n  image = "web:2"\n}\n'


FOUND = [
    revision(4, "11:59:20", by="alice", verified=True, rollback=2, changed=["web: image 3 → 2"], summary="in progress"),
    revision(3, "11:10:00", by="bob", changed=["web: image 2 → 3", "worker added"], summary="failed: web: no tag"),
    revision(2, "09:00:00", by="kubectl-edit", verified=True, changed=[f"s{at} added" for at in range(8)]),
    revision(1, "08:00:00"),
]
ROWS = [
    "REVISION AGE BY CHANGED RESULT",
    "4 40s alice rollback to 2: web: image 3 → 2 in progress",
    "3 50m bob (unverified) web: image 2 → 3; worker added failed: web: no tag",
    "2 3h kubectl-edit s0 added; s1 added; s2 added; s3 added; s4 added; and 3 more succeeded",
    "1 4h succeeded",
]
"""The lines of the table without the blanks between its cells."""


def test_the_revisions_newest_first(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", REVISIONS, as_json(FOUND, Date=NOW))
    done = mill("history", "-n", "shop")
    assert (done.stderr, done.code) == ("", 0)
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == ROWS
    assert gateway.requests == [("GET", REVISIONS, {"namespace": "shop"})]
    assert json.loads(mill("history", "--json").stdout) == FOUND


@pytest.mark.parametrize("answer", [as_json([]), refusal(404, "no such path", code="path_not_found")])
def test_without_revisions_the_rollouts_are_listed(mill: Mill, gateway: FakeGateway, answer: Answer) -> None:
    """The operator, or the gateway, is of an earlier release."""
    gateway.answers("GET", REVISIONS, answer)
    status = {"rollout": {"id": "7", "startedAt": "2026-01-31T11:59:00Z"}}
    gateway.answers("GET", "/v1/deployments/mill", as_json({"status": status}, Date=NOW))
    done = mill("history")
    assert done.stdout == " ROLLOUT  AGE  TOOK  RESULT      \n 7        1m         in progress \n"
    assert (done.stderr, done.code) == ("no revisions are kept yet; these are the rollouts:\n", 0)
    assert mill("history", "--quiet").stderr == ""


def test_a_program_gets_no_rollouts_for_revisions(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", REVISIONS, as_json([]))
    assert mill("history", "--json").stdout == "[]\n"
    gateway.answers("GET", REVISIONS, refusal(404, "no such path", code="path_not_found"))
    done = mill("history", "--json")
    assert (done.stdout, done.code) == ("", 1)


def test_the_file_of_a_revision_is_all_of_standard_output(mill: Mill, gateway: FakeGateway) -> None:
    known = {"by": "alice", "verified": True, "source": "shop.mill", "digests": {"web": "sha256:12"}, "file": FILE}
    gateway.answers("GET", f"{REVISIONS}/3", as_json(revision(3, "11:10:00", **known), Date=NOW))
    done = mill("history", "3")
    assert (done.stdout, done.code) == (FILE, 0)
    assert done.stderr == "revision 3 (50m ago, by alice, from shop.mill): succeeded\n  web: sha256:12\n"
    assert mill("history", "3", "--quiet").stderr == ""
    assert json.loads(mill("history", "3", "--json").stdout)["source"] == "shop.mill"


def test_a_revision_that_is_no_file(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", f"{REVISIONS}/3", as_json(revision(3, "11:10:00", file=None)))
    done = mill("history", "3", "-q")
    assert (done.stdout, done.code) == ("", 1)
    assert "`mill history 3 --json` prints it as it is" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["history", "3", "--rollouts"], "a revision and --rollouts exclude each other"),
        (["history", "x"], "'x' is not a valid integer range"),
        (["history", "0"], "0 is not in the range x>=1"),
        (["diff", "a.mill", "--rev", "3"], "a file and --rev exclude each other"),
        (["diff", *["--rev", "3"] * 3], "--rev is given more than twice"),
    ],
)
def test_wrong_usage(mill: Mill, gateway: FakeGateway, arguments: list[str], message: str) -> None:
    done = mill(*arguments)
    assert (done.stdout, done.code, message in done.stderr) == ("", 2, True), done.stderr
    assert gateway.asked == []


def test_the_difference_of_revisions(mill: Mill, gateway: FakeGateway) -> None:
    field = {"path": "env.MODE", "before": "a", "after": "b"}
    service = {"name": "web", "change": "changed", "fields": [field]}
    found = {"namespace": "shop", "name": "mill", "changed": True, "created": False, "services": [service], "tasks": []}
    gateway.answers("GET", f"{REVISIONS}/3/diff", as_json(found))
    done = mill("diff", "--rev", "3", "--rev", "4", "--exit-code", "-n", "shop")
    assert (done.stdout, done.code) == ("~ service web: changed\n    env.MODE: a → b\nshop/mill: 1 changed\n", 1)
    assert mill("diff", "--rev", "3").code == 0
    assert [each[2] for each in gateway.requests] == [{"namespace": "shop", "to": "4"}, {}]


@pytest.mark.parametrize(
    ("arguments", "stdin", "source"),
    [(["some/shop.mill"], None, "shop.mill"), (["-"], SEED, None)],
)
def test_a_deploy_names_its_file_without_the_folder(
    mill: Mill, gateway: FakeGateway, arguments: list[str], stdin: str | None, source: str | None
) -> None:
    (mill.folder / "some").mkdir()
    mill.file(SEED, "some/shop.mill")
    gateway.answers("POST", "/v1/deploy", rollout(("done", {"success": True})))
    assert mill("deploy", *arguments, stdin=stdin).code == 0
    assert {each.source for each in gateway.planned} == {each.source for each in gateway.asked} == {source}
