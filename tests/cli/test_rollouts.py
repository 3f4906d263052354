"""Rollouts that are shown to their end: the lines of every event, `restart`, `watch`, and what `--verbose` adds."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, event, refusal, rollout, stream
from tests.cli.seed import EVENTS, LINES, SEED

GOOD = (
    ("progress", {"service": "web", "phase": "scheduled", "node": "node-1"}),
    ("progress", {"service": "web", "phase": "healthy"}),
    ("done", {"elapsed": 4.249, "success": True}),
)
WATCHED = "/v1/deployments/mill/events"


def test_a_restart_names_the_deployment_that_was_not_asked_for(mill: Mill, gateway: FakeGateway) -> None:
    answer = stream(
        event("done", {"elapsed": 1.0, "success": True}, "8ffa93a4.2.end"), **{"Mill-Deployment": "shop/blog"}
    )
    gateway.answers("POST", "/v1/restart/web", answer)
    done = mill("restart", "web", "-n", "shop")
    assert (done.stdout, done.code) == ("  restarted (1.0s)\n", 0)
    assert done.stderr == (
        "web is a service of the deployment shop/blog: `mill history --rollouts --namespace shop --name blog` lists "
        "its rollouts\n"
    )
    for options in (["--name", "blog"], ["--quiet"]):
        assert mill("restart", "web", *options).stderr == ""


def test_a_rollout_that_another_deploy_has_replaced_says_how_to_follow_that_one(
    mill: Mill, gateway: FakeGateway
) -> None:
    ended = [("failed", {"reason": "superseded by rollout 5"}), ("done", {"elapsed": 1.0, "success": False})]
    gateway.answers("POST", "/v1/deploy", rollout(*ended))
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.code) == ("  failed: superseded by rollout 5\n  deploy finished with errors\n", 1)
    assert done.stderr == (
        "another deploy or restart of shop/mill has taken over: `mill watch --namespace shop` follows it, "
        "`mill history --rollouts --namespace shop` lists both\n"
    )
    for option in ("--quiet", "--json"):
        assert mill("deploy", mill.file(SEED), option).stderr == ""


def test_restart_shows_the_rollout_of_its_service(mill: Mill, gateway: FakeGateway) -> None:
    path = "/v1/restart/a%2Fb"
    events = [(name, {**data, "service": "a/b"} if "service" in data else data) for name, data in GOOD]
    gateway.answers("POST", path, rollout(*events))
    done = mill("restart", "a/b", "-n", "shop", "--name", "blue")
    assert done.stdout == "  a/b: scheduled on node-1\n  a/b: healthy\n  restarted (4.2s)\n"
    assert (done.stderr, done.code) == ("", 0)
    assert (gateway.asked[0].request, gateway.asked[0].body) == (
        ("POST", path, {"namespace": "shop", "name": "blue", "detail": "full"}),
        b"",
    )
    told = [json.loads(line) for line in mill("restart", "a/b", "--json").stdout.splitlines()]
    assert [(each["event"], each["data"]) for each in told] == events


def test_a_failed_restart_and_an_unknown_service_exit_with_1(mill: Mill, gateway: FakeGateway) -> None:
    failed = ("failed", {"service": "web", "reason": "crashed: exit code 1"})
    gateway.answers("POST", "/v1/restart/web", rollout(failed, ("done", {"elapsed": 3.0, "success": False})))
    done = mill("restart", "web")
    assert (done.stdout, done.code) == ("  web: failed: crashed: exit code 1\n  restart finished with errors\n", 1)
    assert mill("restart", "web", "--json").code == 1
    gateway.answers("POST", "/v1/restart/web", refusal(404, "service not found"))
    done = mill("restart", "web")
    assert (done.stdout, done.stderr, done.code) == ("", "error: service not found\n", 1)


def test_watch_shows_a_rollout_in_the_order_of_its_file(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", WATCHED, rollout(*EVENTS))
    gateway.answers(
        "GET", "/v1/deployments/mill", as_json({"spec": {"services": [{"name": "web"}, {"name": "broken"}]}})
    )
    done = mill("watch", "-n", "shop")
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)
    assert sorted(gateway.requests) == [
        ("GET", "/v1/deployments/mill", {"namespace": "shop"}),  # for the order of the services
        ("GET", "/v1/deployments/mill", {"namespace": "shop"}),  # for what has failed since
        ("GET", WATCHED, {"namespace": "shop", "detail": "full"}),
    ]


def test_watch_of_one_rollout_and_one_service(mill: Mill, gateway: FakeGateway) -> None:
    path = "/v1/deployments/blue/events"
    gateway.answers("GET", path, rollout(*GOOD))
    gateway.answers("GET", "/v1/deployments/mill", as_json({}))  # the stream names it
    done = mill("watch", "--rollout", "4", "--service", "web", "--name", "blue", "-v")
    assert (done.stdout, done.stderr, done.code) == (
        "  web: scheduled on node-1\n  web: healthy\n  deployed (4.2s)\n",
        "",
        0,
    )
    assert gateway.requests == [
        ("GET", path, {"rollout": "4", "service": "web", "detail": "full"}),
        ("GET", "/v1/deployments/mill", {"namespace": "shop"}),
    ]
    assert [json.loads(line)["event"] for line in mill("watch", "--name", "blue", "--json").stdout.splitlines()] == [
        "progress",
        "progress",
        "done",
    ]


TIMES = {"startedAt": "2026-01-31T12:00:00Z", "finishedAt": "2026-01-31T12:00:04Z"}
REGRESSION = {
    "service": "web",
    "reason": "container exited with code 1",
    "code": "Crashed",
    "at": "2026-01-31T12:00:18.2Z",
}
SINCE = "succeeded, then web failed after 14 s: container exited with code 1"


def regressed(gateway: FakeGateway, *regressions: dict[str, Any], **more: Any) -> None:
    """Answer with a rollout that has finished, and with what has failed since."""
    gateway.answers("GET", WATCHED, rollout(*GOOD))
    status = {"rollout": {"id": "2", **TIMES, "success": True, "regressed": regressions, **more}}
    gateway.answers("GET", "/v1/deployments/mill", as_json({"spec": {"services": [{"name": "web"}]}, "status": status}))


@pytest.mark.parametrize("service", [[], ["--service", "web"]])
def test_watch_shows_what_has_failed_since_and_exits_with_1(
    mill: Mill, gateway: FakeGateway, service: list[str]
) -> None:
    regressed(gateway, REGRESSION)
    done = mill("watch", *service)
    lines = "  web: scheduled on node-1\n  web: healthy\n  deployed (4.2s)\n"
    assert (done.stdout, done.stderr, done.code) == (f"{lines}  {SINCE}\n", "", 1)
    quiet = mill("watch", "-q", *service)
    assert (quiet.stdout, quiet.stderr, quiet.code) == (f"  deployed (4.2s)\n  {SINCE}\n", "", 1)
    told = mill("watch", "--json", *service)
    events = [json.loads(line) for line in told.stdout.splitlines()]
    assert [each["event"] for each in events] == ["progress", "progress", "done", "regressed"]
    assert (events[-1]["data"], told.code) == ({"result": SINCE, "regressed": [REGRESSION]}, 1)


@pytest.mark.parametrize(
    ("service", "regressions", "more"),
    [
        ([], [], {}),
        ([], [REGRESSION], {"id": "3"}),  # of another rollout
        (["--service", "api"], [REGRESSION], {}),
        (["--service", "web"], [REGRESSION | {"seq": 4}], {}),  # the stream of the service has it
    ],
)
def test_watch_shows_no_other_regression(
    mill: Mill, gateway: FakeGateway, service: list[str], regressions: list[Any], more: dict[str, Any]
) -> None:
    regressed(gateway, *regressions, **more)
    done = mill("watch", *service)
    assert (done.stdout.splitlines()[-1], done.stderr, done.code) == ("  deployed (4.2s)", "", 0)


def test_watch_of_a_past_rollout_shows_what_failed_after_it(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", WATCHED, rollout(*GOOD))
    past = {"id": "2", **TIMES, "success": False, "failed": [{"seq": 1, "service": "api", "reason": "out of memory"}]}
    status = {"rollout": {"id": "3", **TIMES, "success": True}, "history": [past | {"regressed": [REGRESSION]}]}
    gateway.answers("GET", "/v1/deployments/mill", as_json({"status": status}))
    done = mill("watch", "--rollout", "2")
    assert (done.stdout.splitlines()[-1], done.code) == (
        "  failed: api: out of memory; then web failed after 14 s: container exited with code 1",
        1,
    )


def test_a_deploy_does_not_look_for_what_fails_later(mill: Mill, gateway: FakeGateway) -> None:
    regressed(gateway, REGRESSION)
    gateway.answers("POST", "/v1/deploy", rollout(*GOOD))
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout.splitlines()[-1], done.code) == ("  deployed (4.2s)", 0)
    assert [each[:2] for each in gateway.requests] == [("POST", "/v1/deploy")]


def test_watch_says_that_it_cannot_read_what_has_failed_since(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", WATCHED, rollout(*GOOD))
    gateway.answers("GET", "/v1/deployments/mill", refusal(500, "internal error"))
    done = mill("watch")
    assert (done.stderr, done.code) == ("cannot read what has failed since the rollout finished: internal error\n", 0)


@pytest.mark.parametrize(("status", "error"), [(404, "deployment not found: shop/mill"), (410, "rollout 4 is gone")])
def test_watch_of_an_unknown_rollout_exits_with_1(mill: Mill, gateway: FakeGateway, status: int, error: str) -> None:
    gateway.answers("GET", WATCHED, refusal(status, error))
    done = mill("watch", "--rollout", "4")
    assert (done.stdout, done.stderr, done.code) == ("", f"error: {error}\n", 1)


@pytest.mark.parametrize(
    ("events", "lines", "code"),
    [
        ([("done", {"success": True})], "  deployed\n", 0),
        ([("done", {"elapsed": 12, "success": True})], "  deployed (12.0s)\n", 0),
        ([("done", {"elapsed": 1.0})], "  deploy finished with errors\n", 1),
        (
            [("failed", {}), ("failed", {"service": "web"}), ("done", {"success": False})],
            "  failed: unknown\n  web:    failed: unknown\n  deploy finished with errors\n",
            1,
        ),
        (
            [
                ("progress", {"phase": "started"}),
                ("progress", {"service": "web", "phase": "pulling"}),
                ("progress", {"service": "web", "phase": "scheduled"}),
                ("progress", {"service": "web", "phase": "waiting", "message": "waiting for db"}),
                ("progress", {"service": "web", "phase": "starting"}),
                ("progress", {"service": "web", "phase": "settled"}),
                ("progress", {"service": "web", "phase": "blessed"}),
                ("news", {"service": "web", "phase": "painted"}),
                ("progress", {"service": "old", "phase": "stopped"}),
                ("done", {"elapsed": 0.05, "success": True}),
            ],
            (
                "  web:    scheduled on unknown\n  web:    blessed\n  web:    painted\n"
                "  old:    stopped\n  deployed (0.1s)\n"
            ),
            0,
        ),
    ],
)
def test_lines_of_unusual_events(
    mill: Mill, gateway: FakeGateway, events: list[tuple[str, dict[str, Any]]], lines: str, code: int
) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*events))
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == (lines, "", code)


def test_the_original_puts_the_data_first_and_knows_no_ids(mill: Mill, gateway: FakeGateway) -> None:
    parts = [f"data: {json.dumps(data)}\nevent: {name}\n\n".encode() for name, data in EVENTS]
    gateway.answers("POST", "/v1/deploy", stream(b":\n\n", *parts))
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)


def test_verbose_says_why_and_what_to_do_on_stderr(mill: Mill, gateway: FakeGateway) -> None:
    evidence = "\n".join(["first", *(f"line {at}" for at in range(9)), "panic:\x1b[31m no\tport"])
    failed = {"service": "broken", "reason": "crashed", "code": "Crashed", "suggestion": "Look.", "evidence": evidence}
    gateway.answers("POST", "/v1/deploy", rollout(("failed", failed), ("done", {"success": False})))
    done = mill("deploy", "--verbose", mill.file(SEED))
    assert (done.stdout, done.code) == ("  broken: failed: crashed\n  deploy finished with errors\n", 1)
    assert done.stderr == (
        "  broken:\n"
        + "".join(f"    | line {at}\n" for at in range(9))
        + "    | panic:�[31m no\tport\n    help: Look.\n    code: Crashed (`mill explain Crashed`)\n"
    )
    assert gateway.requests == [("POST", "/v1/deploy", {"detail": "full"})]


def test_what_others_say_cannot_steer_the_terminal(mill: Mill, gateway: FakeGateway) -> None:
    nasty = "one\r\n\x1b]0;title\x07two\x00\x9b31m\u202e" + " long" * 2000
    events = (
        event("failed", {"service": "bro\x1b[2Jken", "reason": nasty, "evidence": nasty, "code": "A\x1bB"}),
        event("progress", {"service": "web", "phase": "sched\x07uled", "node": "n\x1b[1m"}),
        event("progress", {"service": "web", "phase": "scheduled", "node": "n\x1b[1m"}),
        event("done", {"success": False}),
    )
    gateway.answers("POST", "/v1/deploy", stream(*events))
    done = mill("deploy", "-v", mill.file(SEED))
    assert not set(done.stdout + done.stderr) & set("\x1b\x07\x00\x9b\u202e\r")
    (failed,) = [line for line in done.stdout.splitlines() if "failed: one" in line]
    assert failed.endswith("�]0;title�two��31m�" + " long" * 2000)
