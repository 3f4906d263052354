"""What standard error reports of a rollout without a terminal, as a log of CI shows it: both streams in one."""

import json
import re
from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, Asked, FakeGateway, as_json, event, refusal, rollout, stream
from tests.cli.seed import EVENTS, LINES, SEED

DETAIL = "/v1/deployments/mill"
MESSAGE = "no nodes available: insufficient memory"
SUSPECT = ("progress", {"service": "web", "phase": "suspect", "code": "Unschedulable", "message": MESSAGE})
HELD = ("failed", {**EVENTS[0][1], "code": "TagNotFound", "detail": "image registry.example/web:missing"})
SCHEDULED, HEALTHY, DONE = EVENTS[1:]
WAITING = f"  web:    waiting: {MESSAGE}"
TEN_SECONDS_AGO = "Sat, 31 Jan 2026 12:00:00 GMT"


def status(message: str = MESSAGE, rollout: str = "2", **more: Any) -> Answer:
    """A status whose clock is not this machine's."""
    service = {"name": "web", "state": "Suspect", "message": message, **more}
    return as_json({"status": {"rollout": {"id": rollout}, "services": [service]}}, Date=TEN_SECONDS_AGO)


def joined(mill: Mill, arguments: str = "deploy production.mill") -> str:
    """Return what a log of CI has."""
    mill.file(SEED)
    return mill.shell(f"mill {arguments} 2>&1").stdout


def test_the_seeds_lines_are_in_order_in_a_log_of_both_streams(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(HELD, SCHEDULED, HEALTHY, DONE))
    *lines, last = LINES.splitlines(keepends=True)
    assert joined(mill) == "".join([*lines, "  broken: image registry.example/web:missing\n", last])
    assert mill("deploy", mill.file(SEED)).stdout == LINES


def test_what_is_wrong_is_reported_while_it_lasts(mill: Mill, gateway: FakeGateway) -> None:
    parts = [event(*SUSPECT, "8ffa93a4.2.1"), 7.5]
    parts += [event(*each, f"8ffa93a4.2.{at}") for at, each in enumerate((SCHEDULED, HEALTHY), 2)]
    done = event("done", {"elapsed": 9.0, "success": True}, "8ffa93a4.2.end")
    gateway.answers("POST", "/v1/deploy", stream(*parts, done))
    gateway.answers("GET", DETAIL, status(detail="largest node: 23.4 GiB", dueAt="2026-01-31T12:02:00.000Z"))
    first, *rest = joined(mill).splitlines()
    found = re.fullmatch(re.escape(WAITING) + r" \(largest node: 23\.4 GiB; fails in (\d+)s\)", first)
    assert found is not None
    assert 110 <= int(found[1]) <= 120  # by the gateway's clock, which stands still
    assert rest == ["  web:    scheduled on node-1", "  web:    healthy", "  deployed (9.0s)"]
    polls = [each for each in gateway.asked if each.method == "GET"]
    assert 1 <= len(polls) <= 5
    assert {each.query["namespace"] for each in polls} == {"shop"}


def test_another_cause_is_reported_again(mill: Mill, gateway: FakeGateway) -> None:
    parts = [event(*SUSPECT, "8ffa93a4.2.1"), 14.5, event(*DONE, "8ffa93a4.2.end")]
    gateway.answers("POST", "/v1/deploy", stream(*parts))
    cordoned = status("no nodes available: cordoned")
    gateway.answers("GET", DETAIL, *[status()] * 3, cordoned)
    assert joined(mill).splitlines() == [
        WAITING,
        "  web:    waiting: no nodes available: cordoned",
        "  deploy finished with errors",
    ]


@pytest.mark.parametrize(
    "answer", [refusal(403, "may not get"), status(rollout="1"), as_json({}), as_json([])], ids=repr
)
def test_without_a_status_the_event_is_reported(mill: Mill, gateway: FakeGateway, answer: Answer) -> None:
    parts = [event(*SUSPECT, "8ffa93a4.2.1"), 6.0, event(*DONE, "8ffa93a4.2.end")]
    gateway.answers("POST", "/v1/deploy", stream(*parts))
    gateway.answers("GET", DETAIL, answer)
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == ("  deploy finished with errors\n", f"{WAITING}\n", 1)


def test_failing_health_checks_are_reported_before_the_verdict(mill: Mill, gateway: FakeGateway) -> None:
    starting = ("progress", {"service": "web", "phase": "starting"})
    gateway.answers("POST", "/v1/deploy", stream(event(*starting, "8ffa93a4.2.1"), 8.5, event(*DONE, "8ffa93a4.2.end")))
    unready = {"name": "web", "state": "Starting", "healthCheck": "HTTP 503", "dueAt": "2026-01-31T12:00:25.000Z"}
    services = {"rollout": {"id": "2"}, "services": [unready]}
    gateway.answers("GET", DETAIL, as_json({"status": services}, Date=TEN_SECONDS_AGO))
    assert joined(mill).splitlines() == [
        "  web:    waiting: not ready: health check: HTTP 503 (fails in 25s)",
        "  deploy finished with errors",
    ]
    assert 1 <= len([each for each in gateway.asked if each.method == "GET"]) <= 3, "none in the first five seconds"


def test_a_failure_that_is_held_is_reported_before_its_turn(mill: Mill, gateway: FakeGateway) -> None:
    parts = [event(*HELD, "8ffa93a4.2.1"), 4.5]
    parts += [event(*each, f"8ffa93a4.2.{at}") for at, each in enumerate((SCHEDULED, HEALTHY), 2)]
    gateway.answers("POST", "/v1/deploy", stream(*parts, event(*DONE, "8ffa93a4.2.end")))
    said = "  broken: failed: image pull failed: tag not found (image registry.example/web:missing)\n"
    assert joined(mill) == said + LINES


@pytest.mark.parametrize(
    ("options", "stdout"),
    [
        (["--quiet"], "  broken: failed: image pull failed: tag not found\n  deploy finished with errors\n"),
        (
            ["--json"],
            "".join(
                f"{json.dumps({'event': name, 'data': data}, separators=(',', ':'))}\n"
                for name, data in (HELD, SUSPECT, DONE)
            ),
        ),
    ],
)
def test_quiet_and_json_have_no_notices(mill: Mill, gateway: FakeGateway, options: list[str], stdout: str) -> None:
    parts = [event(*HELD, "8ffa93a4.2.1"), event(*SUSPECT, "8ffa93a4.2.2"), 6.0, event(*DONE, "8ffa93a4.2.end")]
    gateway.answers("POST", "/v1/deploy", stream(*parts))
    done = mill("deploy", mill.file(SEED), *options)
    assert (done.stdout, done.stderr, done.code) == (stdout, "", 1)
    assert gateway.requests == [("POST", "/v1/deploy", {})]


def test_verbose_prints_the_details_of_a_failure_and_no_notice_of_it(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(HELD, SCHEDULED, HEALTHY, DONE))
    done = mill("deploy", mill.file(SEED), "-v")
    assert done.stdout == LINES
    assert done.stderr == "  broken:\n    code: TagNotFound (`mill explain TagNotFound`)\n"


@pytest.mark.parametrize(
    ("arguments", "method", "path"),
    [("restart web", "POST", "/v1/restart/web"), ("watch --service web", "GET", f"{DETAIL}/events")],
)
def test_what_follows_a_rollout_reports_the_last_line_of_a_crash(
    mill: Mill, gateway: FakeGateway, arguments: str, method: str, path: str
) -> None:
    crash = {"service": "web", "reason": "container exited with code 1", "evidence": "starting\npanic: no config\n"}
    gateway.answers(method, path, rollout(("failed", crash), DONE))
    gateway.answers("GET", DETAIL, as_json({}))
    first, second, _ = joined(mill, arguments).splitlines()
    assert (first, second) == ("  web: failed: container exited with code 1", "  web: panic: no config")


def test_a_caller_without_the_right_to_details_deploys_without_them(mill: Mill, gateway: FakeGateway) -> None:
    def answer(asked: Asked) -> Answer:
        return refusal(403, "ci may not get milldeployments.mill.dev mill") if asked.query else rollout(*EVENTS)

    gateway.answers("POST", "/v1/deploy", answer)
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)
    assert [each.body for each in gateway.asked] == [SEED.encode()] * 2
