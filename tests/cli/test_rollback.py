"""`mill rollback`: what it shows, when it asks, and what it requires of the gateway."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal, rollout, stream
from tests.cli.revisions import NOW, revision
from tests.cli.screens import on_terminal

ROUTE = "/v1/deployments/mill/rollback"
NOTE = "task migrate has run since: it does not run again, and what it did stays"
PLAN: dict[str, Any] = {
    "namespace": "shop",
    "name": "mill",
    "changed": True,
    "created": False,
    "base": "8ffa93a4-0000.4",
    "services": [
        {
            "name": "web",
            "change": "changed",
            "fields": [
                {"path": "image", "before": "web:3", "after": "web:2"},
                {"path": "env.KEY", "before": "s3cr3t", "after": "older"},
            ],
        },
        {"name": "api", "change": "unchanged", "fields": []},
    ],
    "tasks": [],
    "volumes_kept": ["data"],
    "target": revision(2, "09:00:00", by="alice", verified=True),
    "notes": [NOTE],
}
SHOWN = f"""\
rollback of shop/mill to revision 2 (3h ago, by alice): succeeded
plan for shop/mill: 1 changed, 1 unchanged
  ~ service web: image web:3 → web:2, env.KEY
  volume data: kept, with its data
  note: {NOTE}
"""
QUESTION = "roll back shop/mill to revision 2?"
DONE = ("done", {"elapsed": 4.2, "success": True})
GOOD = (("progress", {"service": "web", "phase": "healthy"}), DONE)
FIXED = {"revision": "2", "base": PLAN["base"]}
OUTDATED = refusal(409, "MillDeployment shop/mill has changed", code="plan_outdated")


@pytest.fixture
def plans(gateway: FakeGateway) -> FakeGateway:
    gateway.plans(as_json(PLAN, Date=NOW), path=ROUTE)
    gateway.answers("POST", ROUTE, rollout(*GOOD))
    return gateway


def test_it_carries_out_what_it_has_shown(mill: Mill, plans: FakeGateway) -> None:
    done = mill("rollback", "--yes", "-n", "shop")
    assert (done.stdout, done.stderr, done.code) == ("  web: healthy\n  rolled back (4.2s)\n", SHOWN, 0)
    assert [each.request for each in plans.planned] == [("POST", ROUTE, {"namespace": "shop", "plan": "true"})]
    assert plans.requests == [("POST", ROUTE, {"namespace": "shop", "detail": "full", **FIXED})]


def test_a_revision_and_a_service_are_what_goes_back(mill: Mill, plans: FakeGateway) -> None:
    done = mill("rollback", "2", "--service", "web", "-y", "-q")
    assert (done.stdout, done.stderr, done.code) == ("  rolled back (4.2s)\n", "", 0)
    assert [each.query for each in plans.planned] == [{"revision": "2", "service": "web", "plan": "true"}]
    assert [each.query for each in plans.asked] == [{"service": "web", **FIXED}]


def test_without_a_terminal_it_needs_yes(mill: Mill, plans: FakeGateway) -> None:
    done = mill("rollback")
    assert (done.stdout, done.code, plans.asked) == ("", 1, [])
    assert done.stderr == f"{SHOWN}error: no terminal to ask on: {QUESTION}\n  help: use --yes if that is meant\n"


def test_what_a_question_is_about_is_shown_also_to_those_who_want_quiet(mill: Mill, plans: FakeGateway) -> None:
    done = mill("rollback", "-q", "-n", "shop")
    assert done.code == 1
    assert done.stderr.startswith(SHOWN)


def test_on_a_terminal_it_asks(mill: Mill, plans: FakeGateway) -> None:
    with on_terminal(mill, "rollback") as terminal:
        terminal.wait_for(f"{QUESTION} [y/N]")
        assert plans.asked == []
        terminal.press(b"y\n")
        assert terminal.end() == 0
    with on_terminal(mill, "rollback") as terminal:
        terminal.wait_for(f"{QUESTION} [y/N]")
        terminal.press(b"n\n")
        assert terminal.end() == 1
        assert terminal.everything.endswith("error: canceled: nothing was changed\n")
    assert [each.method for each in plans.asked].count("POST") == 1


def test_without_waiting_it_ends_when_it_is_accepted(mill: Mill, plans: FakeGateway) -> None:
    plans.answers("POST", ROUTE, stream(60.0))  # no event for a minute
    done = mill("rollback", "--yes", "--wait=false")
    accepted = "rollout 2 of shop/mill is accepted; `mill watch --namespace shop` follows it\n"
    assert (done.stdout, done.stderr, done.code) == ("", SHOWN + accepted, 0)


def test_a_failed_rollback_exits_with_1(mill: Mill, plans: FakeGateway) -> None:
    failed = ("failed", {"service": "web", "reason": "out of memory"})
    plans.answers("POST", ROUTE, rollout(failed, ("done", {"success": False})))
    done = mill("rollback", "--yes", "-q")
    assert (done.stdout, done.code) == ("  web: failed: out of memory\n  rollback finished with errors\n", 1)
    events = [json.loads(line)["event"] for line in mill("rollback", "--yes", "--json").stdout.splitlines()]
    assert events == ["failed", "done"]


def test_nothing_to_roll_back_changes_nothing(mill: Mill, gateway: FakeGateway) -> None:
    same = [{"name": "web", "change": "unchanged", "fields": []}]
    gateway.plans(as_json(PLAN | {"changed": False, "services": same}), path=ROUTE)
    done = mill("rollback", "2")
    assert (done.stdout, done.code, gateway.asked) == ("", 0, [])
    assert done.stderr == "shop/mill is as revision 2 was: nothing to roll back\n"


def test_a_change_meanwhile_is_shown_and_asked_about_again(mill: Mill, plans: FakeGateway) -> None:
    plans.answers("POST", ROUTE, OUTDATED, rollout(*GOOD))
    done = mill("rollback", "--yes")
    again = "what is deployed has changed meanwhile; the plan is another one now:\n"
    assert (done.stderr, done.code) == (SHOWN + again + SHOWN, 0)
    shown_first = [each.query.get("revision") for each in plans.planned]
    assert shown_first == [None, "2"], "the last that succeeded may be another one by now"
    plans.answers("POST", ROUTE, OUTDATED)
    done = mill("rollback", "--yes", "-q")
    assert (done.stderr, done.code) == ("error: MillDeployment shop/mill has changed\n", 1)


def test_who_may_not_read_what_is_deployed_may_go_back(mill: Mill, plans: FakeGateway) -> None:
    plans.plans(refusal(403, "bot may not get milldeployments.mill.dev mill", code="not_permitted"), path=ROUTE)
    done = mill("rollback", "--yes", "-n", "shop")
    unknown = "rollback of shop/mill: what changes is unknown without the right to get the MillDeployment\n"
    assert (done.stderr, done.code) == (unknown, 0)
    assert [each.query for each in plans.asked] == [{"namespace": "shop", "detail": "full"}]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            refusal(404, "no such path", code="path_not_found"),
            "this gateway is of an earlier release, which cannot go back\n  help: deploy the earlier file again",
        ),
        (refusal(409, "is managed by the Argo CD application shop", code="managed_by_gitops"), "is managed by the "),
        (as_json(PLAN | {"target": None}), "the gateway's answer is no plan of a rollback"),
        (as_json(PLAN | {"base": "a b"}), "the gateway's answer is no plan of a rollback"),
        (as_json([1]), "the gateway's answer is no plan of a rollback"),
    ],
)
def test_what_is_refused(mill: Mill, gateway: FakeGateway, answer: Answer, error: str) -> None:
    gateway.plans(answer, path=ROUTE)
    done = mill("rollback", "--yes")
    assert (done.stdout, done.code, gateway.asked) == ("", 1, [])
    assert done.stderr.startswith(f"error: {error}")


@pytest.mark.parametrize("word", ["undo", "revert", "rollbak"])
def test_words_of_other_tools_lead_to_it(mill: Mill, word: str) -> None:
    done = mill(word)
    assert (done.code, "rollback" in done.stderr) == (2, True)
