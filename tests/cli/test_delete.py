"""`mill delete`: what it says before, when it asks, and what it follows."""

import json

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, event, refusal, stream
from tests.cli.screens import on_terminal

PATH = "/v1/deployments/mill"
DELETION = {
    "name": "mill",
    "namespace": "shop",
    "services": ["web", "db"],
    "tasks": ["migrate"],
    "volumes_kept": ["data", "more"],
}
PLAN = """\
delete shop/mill: 2 services, 1 task
  - service web
  - service db
  - task migrate
  volumes data, more: kept, with their data
  secrets of the namespace: kept
"""
STOPPED = [
    event("progress", {"service": name, "phase": "stopped"}, f"8ffa93a4.delete.{at}")
    for at, name in enumerate(("db", "web"), 1)
]
DONE = event("done", {"elapsed": 6.2, "success": True}, "8ffa93a4.delete.end")
LINES = "  db: stopped\n  web: stopped\n  deleted (6.2s)\n"


@pytest.fixture
def deletes(gateway: FakeGateway) -> FakeGateway:
    """A gateway that deletes the two services."""
    gateway.plans(as_json(DELETION), method="DELETE", path=PATH)
    gateway.answers("DELETE", PATH, stream(*STOPPED, DONE))
    return gateway


def test_it_says_what_goes_and_what_stays_and_follows(mill: Mill, deletes: FakeGateway) -> None:
    done = mill("delete", "-n", "shop", "--force", "--system")
    assert (done.stdout, done.stderr, done.code) == (LINES, PLAN, 0)
    query = {"namespace": "shop", "force": "true", "system": "true"}
    assert [each.request for each in deletes.asked] == [("DELETE", PATH, query)]
    assert [each.request for each in deletes.planned] == [("DELETE", PATH, query | {"plan": "true"})]


def test_quiet_and_json(mill: Mill, deletes: FakeGateway) -> None:
    done = mill("delete", "--quiet")
    assert (done.stdout, done.stderr, done.code) == ("  deleted (6.2s)\n", "", 0)
    done = mill("delete", "--json")
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["event"] for each in shown] == ["progress", "progress", "done"]
    assert done.stderr == PLAN


def test_the_name_selects_the_deployment(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(
        as_json(DELETION | {"name": "blog", "services": [], "tasks": [], "volumes_kept": []}),
        method="DELETE",
        path="/v1/deployments/blog",
    )
    gateway.answers("DELETE", "/v1/deployments/blog", stream(DONE))
    done = mill("delete", "--name", "blog")
    assert (done.stdout, done.code) == ("  deleted (6.2s)\n", 0)
    assert done.stderr == "delete shop/blog: no services\n  secrets of the namespace: kept\n"


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1)])
def test_a_terminal_is_asked(mill: Mill, deletes: FakeGateway, answer: bytes, code: int) -> None:
    with on_terminal(mill, "delete") as terminal:
        terminal.wait_for("delete shop/mill? [y/N]")
        assert deletes.asked == []
        terminal.press(answer)
        assert terminal.end() == code
    assert len(deletes.asked) == 1 - code


def test_nothing_is_asked_after_yes(mill: Mill, deletes: FakeGateway) -> None:
    with on_terminal(mill, "delete", "--yes") as terminal:
        assert terminal.end() == 0
        assert "[y/N]" not in terminal.everything
    assert len(deletes.asked) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            refusal(404, "deployment not found: shop/mill", code="deployment_not_found"),
            "deployment not found: shop/mill\n",
        ),
        (
            refusal(409, "managed by the Argo CD application shop", code="managed_by_gitops"),
            "managed by the Argo CD application shop\n",
        ),
        (
            refusal(405, "method DELETE not allowed", code="method_not_allowed"),
            (
                "this gateway is of an earlier release, which deletes no deployments\n"
                "  help: use `kubectl --namespace shop delete milldeployment mill`\n"
            ),
        ),
    ],
)
def test_a_refusal_deletes_nothing(mill: Mill, gateway: FakeGateway, answer: object, error: str) -> None:
    gateway.plans(answer, method="DELETE", path=PATH)  # type: ignore[arg-type]
    done = mill("delete", "-n", "shop", "--yes")
    assert (done.stdout, done.stderr, done.code) == ("", f"error: {error}", 1)
    assert gateway.asked == []


def test_who_may_not_read_may_still_delete(mill: Mill, deletes: FakeGateway) -> None:
    deletes.plans(refusal(403, "jane may not get", code="not_permitted"), method="DELETE", path=PATH)
    done = mill("delete", "-n", "shop")
    assert (done.stdout, done.code) == (LINES, 0)
    assert done.stderr == "delete shop/mill: what it has is unknown without the right to get the MillDeployment\n"


def test_a_deletion_that_ends_while_the_connection_is_lost(mill: Mill, deletes: FakeGateway) -> None:
    gone = refusal(404, "deployment not found: shop/mill", code="deployment_not_found")
    deletes.answers("DELETE", PATH, stream(STOPPED[0], cut=True), gone)
    done = mill("delete", "--quiet")
    assert (done.stdout, done.stderr, done.code) == ("  deleted\n", "", 0)


def test_one_that_was_created_again_has_failed(mill: Mill, deletes: FakeGateway) -> None:
    failed = event("failed", {"reason": "shop/mill was created again meanwhile"}, "8ffa93a4.delete.1")
    end = event("done", {"elapsed": 6.2, "success": False}, "8ffa93a4.delete.end")
    deletes.answers("DELETE", PATH, stream(failed, end))
    done = mill("delete")
    assert (done.stdout, done.code) == (
        "  failed: shop/mill was created again meanwhile\n  delete finished with errors\n",
        1,
    )


def test_the_wait_has_a_limit(mill: Mill, deletes: FakeGateway) -> None:
    deletes.answers("DELETE", PATH, stream(STOPPED[0], 30.0, DONE))
    done = mill("delete", "--timeout", "1s")
    assert (done.stdout, done.code) == ("  db: stopped\n", 3)
    assert done.stderr.endswith("error: the deletion has not finished after 1s\n  help: the deletion continues\n")
