"""Whatever others put into names, messages, values and arguments, a terminal gets text: of every command."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Finished, Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, event, refusal, rollout, stream

BAD = "a\x1b]0;x\x07b\u202ec\x9b1md\u2066e\x7ff\u200bg"
"""Sets a window's title, reorders text, changes colors by a C1 character, hides."""
MILL_FILE = 'service "web" {\n  image = "web:1"\n}\n'


def bad(*keys: str, **more: Any) -> dict[str, Any]:
    return dict.fromkeys(keys, BAD) | more


SERVICE = bad(
    *("name", "image", "message", "reason", "update"),
    state="Failed",
    replicas={"healthy": 0, "desired": 1, "serving": 1},
    serving_images=[BAD],
)
TASK = bad("id", "name", "node", "status", "address", cpu=1.0, memory=1)
NODE = bad("id", "status", cpu_total=4, cpu_available=1, memory_total_bytes=9, memory_available_bytes=1, alloc_count=1)
TIMES = {"startedAt": "2026-01-31T12:00:00Z", "finishedAt": "2026-01-31T12:00:09Z"}
REGRESSION = bad("service", "reason", "code", at=TIMES["finishedAt"])
STATUS = {
    "rollout": {"id": "2", "success": False, "regressed": [REGRESSION], **TIMES},
    "services": [SERVICE],
    "history": [{"id": BAD, "success": False, "failed": [bad("service", "reason")], **TIMES}],
}
COUNTS = {"regressions": [bad("deployment", "rollout", "result", regressed=[])]}
EVENTS = (
    ("progress", bad("service", "phase", "node", "message")),
    ("progress", bad("service", "node", phase="scheduled")),
    ("failed", bad("service", "reason", "evidence", "suggestion", "code")),
    ("failed", bad("reason", "pod")),
    ("done", {"success": False}),
)
PLAN = bad(
    "name",
    "namespace",
    changed=True,
    created=True,
    volumes_kept=[BAD],
    base=BAD,
    tasks=[bad("name", change="removed", fields=[])],
    services=[
        bad("name", change="removed", fields=[]),
        bad(
            "name",
            change="changed",
            fields=[
                bad("path", "before", "after"),
                bad("path", before=[BAD], after={BAD: [BAD]}),
            ],
        ),
    ],
)
DELETION = bad("name", "namespace", services=[BAD], tasks=[BAD], volumes_kept=[BAD])

REVISION = bad(
    *("created_at", "by", "source", "result", "summary", "file"), revision=1, changed=[BAD], digests={BAD: BAD}
)
ROLLBACK = PLAN | {"base": "u.1", "target": REVISION, "notes": [BAD]}

COMMANDS = {
    "status": ["status"],
    "nodes": ["nodes"],
    "runs": ["ps"],
    "history": ["history"],
    "rollouts": ["history", "--rollouts"],
    "a revision": ["history", "1"],
    "two revisions": ["diff", "--rev", "1", "--rev", "2"],
    "rollback": ["rollback", "--yes"],
    "a question about a rollback": ["rollback"],
    "volumes": ["volume", "list"],
    "secrets": ["secret", "list"],
    "spawn": ["spawn", "migrate"],
    "diff": ["diff", "file.mill"],
    "deploy": ["deploy", "file.mill"],
    "delete": ["delete"],
    "deploy with details": ["deploy", "file.mill", "-v"],
    "restart": ["restart", BAD],
    "watch": ["watch"],
    "drain": ["drain", BAD],
    "refused": ["kill", BAD],
    "deleted": ["secret", "delete", BAD],
    "logs of a name that nothing has": ["logs", BAD],
    "a failure's code": ["explain", BAD],
    "a command": [BAD],
    "an option": ["--" + BAD],
    "an argument": ["nodes", BAD],
    "a variable": ["spawn", "migrate", "--env", BAD],
    "a file that there is not": ["validate", f"{BAD}.mill"],
    "a file": ["validate", "x\u202e\x1b[1my.mill"],
    "a file with problems": ["validate", "x\u202e\x1b[1mz.mill"],
    "a resource with problems": ["validate", "bad.yaml"],
    "a resource as YAML": ["render", "good.yaml"],
    "a resource as JSON": ["render", "good.yaml", "-o", "json"],
    "a resource as a file": ["render", "good.yaml", "-o", "mill"],
    "an address": ["nodes", "--address", f"http://{BAD}:80"],
    "a Service": ["nodes", "--context", BAD, "--gateway", BAD],
    "a file of authorities": ["nodes", "--address", "https://127.0.0.1:1", "--ca-file", BAD],
}


@pytest.fixture
def hostile(mill: Mill, gateway: FakeGateway) -> Mill:
    name = "a%1B%5D0%3Bx%07b%E2%80%AEc%C2%9B1md%E2%81%A6e%7Ff%E2%80%8Bg"
    for path, found in {
        "/v1/status": COUNTS,
        "/v1/services": [SERVICE],
        "/v1/tasks": [TASK],
        "/v1/nodes": [NODE],
        "/v1/volumes": [bad("name", "state", "node", "cloud_id")],
        "/v1/secrets": [bad("name")],
        "/v1/deployments/mill": {"status": STATUS, "spec": {"services": [bad("name")]}},
        "/v1/deployments/mill/revisions": [REVISION],
        "/v1/deployments/mill/revisions/1": REVISION,
        "/v1/deployments/mill/revisions/1/diff": PLAN,
    }.items():
        gateway.answers("GET", path, as_json(found))
    gateway.plans(as_json(ROLLBACK), path="/v1/deployments/mill/rollback")
    gateway.answers("POST", "/v1/deployments/mill/rollback", rollout(*EVENTS))
    gateway.answers("POST", "/v1/tasks/spawn", as_json(TASK))
    gateway.plans(as_json(PLAN))
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    gateway.plans(as_json(DELETION), method="DELETE", path="/v1/deployments/mill")
    gateway.answers("DELETE", "/v1/deployments/mill", rollout(*EVENTS))
    gateway.answers("POST", f"/v1/restart/{name}", rollout(*EVENTS))
    gateway.answers("GET", "/v1/deployments/mill/events", rollout(*EVENTS))
    gateway.answers("POST", f"/v1/nodes/{name}/drain", rollout(*EVENTS))
    gateway.answers("DELETE", f"/v1/tasks/{name}", refusal(500, BAD))
    gateway.answers("DELETE", f"/v1/secrets/{name}", as_json({}))
    gateway.answers("GET", f"/v1/logs/{name}", stream(event("error", BAD)))
    mill.file(MILL_FILE, "file.mill")
    mill.file(MILL_FILE, "x\u202e\x1b[1my.mill")
    mill.file(f'service "web" {{\n  "{BAD}" = 1\n}}\nservice "{BAD}" {{\n}}\n', "x\u202e\x1b[1mz.mill")
    escaped = json.dumps(BAD)
    head = "apiVersion: mill.dev/v1alpha1\nkind: MillDeployment\n"
    mill.file(f"{head}spec: {{{escaped}: 1, services: []}}\n", "bad.yaml")
    mill.file(
        f"{head}metadata: {{name: {escaped}}}\nspec: {{services: [{{name: web, image: w, env: {{A: {escaped}}}}}]}}\n",
        "good.yaml",
    )
    return mill


def assert_is_text(done: Finished) -> None:
    wrong = {each for each in done.stdout + done.stderr if not each.isprintable() and each not in "\n\t"}
    assert not wrong, (done.stdout, done.stderr)


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_that_a_terminal_obeys_is_printed(hostile: Mill, name: str) -> None:
    done = hostile(*COMMANDS[name])
    assert done.stdout + done.stderr
    assert_is_text(done)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "status",
            "nodes",
            "history",
            "rollouts",
            "a revision",
            "two revisions",
            "rollback",
            "diff",
            "deploy",
            "spawn",
        ),
        *("a resource with problems", "a resource as YAML"),
    ],
)
def test_json_is_text_too_and_says_the_same(hostile: Mill, name: str) -> None:
    done = hostile(*COMMANDS[name], "--json")
    assert_is_text(done)
    assert any(has(json.loads(line)) for line in done.stdout.splitlines())


def has(value: Any) -> bool:
    """Tell whether a value has the text, somewhere in it."""
    if isinstance(value, dict):
        return any(map(has, [*value, *value.values()]))
    return any(map(has, value)) if isinstance(value, list) else isinstance(value, str) and BAD in value


def test_a_rendered_resource_says_the_same(hostile: Mill) -> None:
    for form in ("yaml", "json"):
        rendered = hostile("render", "good.yaml", "-o", form).stdout
        again = hostile("render", "-", "--json", stdin=rendered)
        assert json.loads(again.stdout)["spec"]["services"][0]["env"] == {"A": BAD}


def test_logs_are_as_programs_write_them_but_names_are_text(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/services", as_json([{"name": "w\x1b[1m"}]))
    gateway.answers(
        "GET", "/v1/logs/w%1B%5B1m", stream(event(None, {"line": "\x1b[31mred"}), event(None, "no json\x9b"))
    )
    done = mill("logs", "--all")
    assert done.stdout == "[w�[1m] \x1b[31mred\n[w�[1m] no json\x9b\n"
    assert mill("logs", "--all", "--json").stdout == '{"line":"\\u001b[31mred"}\n"no json\\u009b"\n'


@pytest.mark.parametrize(
    ("arguments", "path", "answer"),
    [
        (
            ["history", "--rollouts"],
            "/v1/deployments/mill",
            {"status": {"rollout": {"id": "1", "startedAt": "x", "finishedAt": "y"}}},
        ),
        (["nodes"], "/v1/nodes", [NODE | {"cpu_total": 10**400}]),
        (["nodes"], "/v1/nodes", [NODE | {"memory_total_bytes": -1}]),
    ],
)
def test_numbers_and_times_that_are_none_are_no_answer_of_a_gateway(
    mill: Mill, gateway: FakeGateway, arguments: list[str], path: str, answer: Any
) -> None:
    gateway.answers("GET", path, as_json(answer))
    done = mill(*arguments)
    assert_is_text(done)
    assert done.code in (0, 1)


def test_an_answer_that_nests_without_end_is_refused(mill: Mill, gateway: FakeGateway) -> None:
    for body in (b"[" * 1_000_000, b'[{"a":' * 500_000):
        gateway.answers("GET", "/v1/nodes", Answer(200, {"Content-Type": "application/json"}, (body,)))
        for options in ([], ["--json"]):
            done = mill("nodes", *options)
            assert (done.stdout, done.code) == ("", 1)
            message = json.loads(done.stderr)["error"] if options else done.stderr.removeprefix("error: ")
            assert message.startswith("HTTP 200: invalid JSON: ")


def test_numbers_that_json_does_not_have_are_no_json(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/nodes", Answer(200, {"Content-Type": "application/json"}, (b"[NaN]",)))
    done = mill("nodes", "--json")
    assert (done.stdout, done.code) == ("", 1)
    assert json.loads(done.stderr)["error"].startswith("HTTP 200: invalid JSON: ")


@pytest.mark.parametrize("name", ["$(touch x)", "a b", "a\nb", "a\x1b[1m"])
def test_what_a_shell_would_obey_is_not_completed(mill: Mill, gateway: FakeGateway, name: str) -> None:
    gateway.answers("GET", "/v1/secrets", as_json([{"name": name}, {"name": "good"}]))
    words = {"_MILL_COMPLETE": "bash_complete", "COMP_WORDS": "mill secret get ", "COMP_CWORD": "3"}
    assert mill(**words).stdout == "plain,good\n"
