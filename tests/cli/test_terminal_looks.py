"""What a terminal gets that cannot or should not show everything: colors, glyphs, tables, secrets."""

import json
from dataclasses import dataclass

import pytest

from hack.pictures.terminal import CTRL_C, Picture
from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, rollout
from tests.cli.screens import FAILURE, SERVICES, Script, counted, on_terminal, still

EVENTS = (
    ("progress", {"service": "web", "phase": "scheduled", "node": "node-1"}),
    ("progress", {"service": "web", "phase": "healthy"}),
    ("failed", FAILURE),
    ("done", {"elapsed": 3.2, "success": False}),
)
PLAIN = """\
  web:    scheduled on node-1
  web:    healthy
  broken: failed: image pull failed: tag not found
  deploy finished with errors
"""
WITH_CAUSE = PLAIN.replace("  deploy", "  broken: second line\n  deploy")
"""With the notice of standard error."""


def announcement(gateway: FakeGateway) -> str:
    """Return the first line of a deploy."""
    return f"deploying production.mill to {gateway.url}"


def colored(picture: Picture) -> list[tuple[str, str, bool]]:
    """Return what has a color or is bold."""
    return [
        (run.text.strip(), run.color, run.bold)
        for line in picture.lines
        for run in line
        if run.text.strip() and (run.color != "default" or run.bold)
    ]


def test_verdicts_have_colors(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    with on_terminal(mill, "deploy", mill.file(SERVICES), columns=100) as terminal:
        assert terminal.end() == 1
        assert colored(terminal.picture) == [
            (announcement(gateway), "brightblack", False),
            ("healthy", "green", False),
            ("failed:", "red", True),
            ('| failed to pull and unpack image "registry.example/web:missing": not found', "brightblack", False),
            ("| second line", "brightblack", False),
            ("help:", "default", True),
            ("code: TagNotFound (`mill explain TagNotFound`)", "brightblack", False),
            ("deploy finished with errors: 1 healthy, 1 failed (3.2s)", "red", True),
        ]


def test_no_color_removes_the_colors(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS, pause=0.2))
    with on_terminal(mill, "deploy", mill.file(SERVICES), NO_COLOR="1") as terminal:
        assert "web" in terminal.wait_for("scheduled on node-1")
        assert terminal.end() == 1
        assert not colored(terminal.picture)
        assert b"m" not in {piece[-1:] for piece in terminal.raw.split(b"\x1b[")[1:]}
        assert not any(f"\x1b[{code}m".encode() in terminal.raw for code in ("0", "2", "31", "32", "36", "1;31"))


def test_a_dumb_terminal_gets_plain_output(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    with on_terminal(mill, "deploy", mill.file(SERVICES), TERM="dumb") as terminal:
        assert terminal.end() == 1
        assert terminal.raw.decode() == WITH_CAUSE.replace("\n", "\r\n")
    assert gateway.asked[0].query == {"detail": "full"}


def test_json_on_a_terminal_is_json(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    with on_terminal(mill, "deploy", "--json", mill.file(SERVICES), columns=400) as terminal:
        assert terminal.end() == 1
        assert [json.loads(line)["event"] for line in terminal.raw.splitlines()] == [name for name, _ in EVENTS]
    assert gateway.asked[0].query == {}


def test_a_terminal_without_unicode(mill: Mill, gateway: FakeGateway) -> None:
    script = Script()
    gateway.answers("POST", "/v1/deploy", script.answer())
    counted(gateway, ("web", "Suspect", 1, 2), ("broken", "Healthy", 1, 1))
    script.phase("web", "suspect", message="ärger " * 30)
    script.phase("broken", "healthy")
    plain = {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    with on_terminal(mill, "deploy", mill.file(SERVICES), columns=90, **plain) as terminal:
        seen = terminal.wait_for(lambda seen: "1/2" in seen and "+ broken" in seen)
        assert still(seen) == (
            "* 1 healthy, 1 suspect, 0s\n"
            "* web     =====-----  1/2   0s  \\xe4rger \\xe4rger \\xe4rger \\xe4rger \\xe4rger \\xe4rger...\n"
            "+ broken              1/1   0s  healthy\n"
        )
        script.tell("failed", service="web", reason="ärger")
        script.tell("done", elapsed=1.0, success=False)
        assert terminal.end() == 1
        assert terminal.raw.isascii()
        assert "  broken: healthy\n  web:    failed: \\xe4rger\n" in terminal.everything
    script.end()


def test_control_characters_of_others_do_not_reach_the_terminal(mill: Mill, gateway: FakeGateway) -> None:
    bad = "\x1b[2J\x1b]0;title\x07\x9b31m\r\b\u202e"
    script = Script()
    gateway.answers("POST", "/v1/deploy", script.answer())
    counted(gateway, ("web", "Suspect", 1, 2))
    script.phase(f"web{bad}", "suspect", message=f"a{bad}")
    script.phase("web", f"b{bad}")
    script.phase("web", "scheduled", node=f"c{bad}")
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        terminal.wait_for("scheduled on c")
        script.tell(
            "failed", service="web", reason=f"d{bad}", code=f"e{bad}", evidence=f"f{bad}\ng", suggestion=f"h{bad}"
        )
        script.tell("failed", reason=f"i{bad}")
        script.tell("done", elapsed=1.0, success=False)
        assert terminal.end() == 1
        for each in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\b", "\u202e"):
            assert each.encode() not in terminal.raw
        assert "failed: d�[2J�]0;title��31m" in terminal.everything


@dataclass(frozen=True)
class Listed:
    """A command and what it asks for."""

    arguments: tuple[str, ...]
    answers: dict[str, object]


NODE = {"id": "node-1.zone-a.example", "status": "ready", "cpu_total": 4, "cpu_available": 3.8, "alloc_count": 12}
NODES = [NODE | {"memory_total_bytes": 8 << 30, "memory_available_bytes": 7 << 30}]
SERVICE = {"replicas": {"desired": 1, "healthy": 0}, "image": "registry.example/team/shop/web:2026-01-31"}
BROKEN = SERVICE | {
    "name": "broken",
    "state": "Failed",
    "reason": "x",
    "message": "image pull failed: " + "no such tag " * 9,
}
PAST = {"id": "1", "startedAt": "2026-01-31T12:00:00.000Z", "finishedAt": "2026-01-31T12:00:04.200Z", "success": False}
REVISION = {
    "revision": 12,
    "created_at": "2026-01-31T12:00:00Z",
    "by": "system:serviceaccount:shop:deployer",
    "changed": ["web: image 1 → 2, " + "env.LOG_LEVEL, " * 9],
    "summary": "failed: web: " + "slow " * 40,
}
LISTS = {
    "revisions": Listed(("history",), {"deployments/mill/revisions": [REVISION]}),
    "status": Listed(("status",), {"status": {}, "services": [BROKEN], "tasks": [], "nodes": NODES}),
    "nodes": Listed(("nodes",), {"nodes": NODES}),
    "history": Listed(
        ("history", "--rollouts"),
        {
            "deployments/mill": {
                "status": {"history": [PAST | {"failed": [{"service": "web", "reason": "slow " * 40}]}]}
            }
        },
    ),
}


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("command", LISTS)
def test_tables_fit_the_terminal(mill: Mill, gateway: FakeGateway, command: str, columns: int) -> None:
    listed = LISTS[command]
    for path, value in listed.answers.items():
        gateway.answers("GET", f"/v1/{path}", as_json(value))
    with on_terminal(mill, *listed.arguments, columns=columns, lines=60) as terminal:
        assert terminal.end() == 0
        written = terminal.raw.decode().splitlines()
        assert max(map(len, written)) <= columns
        assert [line.rstrip() for line in written] == terminal.everything.splitlines()


def test_a_secret_is_asked_for_and_not_shown(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("PUT", "/v1/secrets/key", as_json({}))
    with on_terminal(mill, "secret", "set", "key") as terminal:
        terminal.wait_for("value of key:")
        assert not terminal.echoes()
        terminal.press(b"hunter2\n")
        assert terminal.end() == 0
        assert terminal.everything == "value of key:\nsecret key set\n"
        assert terminal.echoes()
    assert json.loads(gateway.asked[0].body) == {"value": "hunter2"}


def test_a_secret_that_is_not_given(mill: Mill, gateway: FakeGateway) -> None:
    with on_terminal(mill, "secret", "set", "key") as terminal:
        terminal.wait_for("value of key:")
        terminal.press(CTRL_C)
        assert terminal.end() == 130
        assert terminal.echoes()
        assert terminal.picture.cursor[0] == 0
    assert not gateway.asked
