"""A rollout on a terminal: a frame while it is in progress, and in the end a line for each service."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json
from tests.cli.screens import FAILURE, SERVICES, Script, announced, counted, on_terminal, still

ROWS = {
    40: """\
* 1 failed · 1 starting · 0s
✗ broken  0/1  image pull failed: tag…
* web     1/2  starting
""",
    60: """\
* 1 failed · 1 starting · 0s
✗ broken  0/1  image pull failed: tag not found
* web     1/2  starting
""",
    80: """\
* 1 failed · 1 starting · 0s
✗ broken  0/1   0s  image pull failed: tag not found
* web     1/2   0s  starting
""",
    120: """\
* 1 failed · 1 starting · 0s
✗ broken              0/1   0s  image pull failed: tag not found
* web     ━━━━━─────  1/2   0s  starting
""",
}
CLOSED = {
    40: """\
  web:    healthy (1.9s)
  broken: failed: image pull failed:
          tag not found
    | failed to pull and unpack image
    |   "registry.example/web:missing":
    |   not found
    | second line
    help: push the tag, or name one
          that the registry has
    code: TagNotFound (`mill explain
          TagNotFound`)
  deploy finished with errors: 1
    healthy, 1 failed (3.2s)
""",
    60: """\
  web:    healthy (1.9s)
  broken: failed: image pull failed: tag not found
    | failed to pull and unpack image
    |   "registry.example/web:missing": not found
    | second line
    help: push the tag, or name one that the registry has
    code: TagNotFound (`mill explain TagNotFound`)
  deploy finished with errors: 1 healthy, 1 failed (3.2s)
""",
    120: """\
  web:    healthy (1.9s)
  broken: failed: image pull failed: tag not found
    | failed to pull and unpack image "registry.example/web:missing": not found
    | second line
    help: push the tag, or name one that the registry has
    code: TagNotFound (`mill explain TagNotFound`)
  deploy finished with errors: 1 healthy, 1 failed (3.2s)
""",
}
CLOSED[80] = CLOSED[120]


@pytest.fixture
def script(gateway: FakeGateway) -> Iterator[Script]:
    """The stream that a deploy is answered with."""
    made = Script()
    gateway.answers("POST", "/v1/deploy", made.answer())
    yield made
    made.end()


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_rows_become_a_line_for_each_service(mill: Mill, gateway: FakeGateway, script: Script, columns: int) -> None:
    counted(gateway, ("web", "Starting", 1, 2), ("old", "Healthy", 1, 1), ("broken", "Pulling", 0, 1))
    script.phase("broken", "pulling")
    script.phase("web", "pulling")
    with on_terminal(mill, "deploy", mill.file(SERVICES), columns=columns) as terminal:
        terminal.wait_for(lambda seen: seen.count("pulling the image") == 2 and "0/1" in seen)
        assert terminal.picture.cursor is None
        script.phase("web", "scheduled", node="node-1")
        terminal.wait_for("scheduled on node-1")
        script.phase("web", "starting")
        script.tell("failed", **FAILURE)
        terminal.wait_for(lambda seen: " starting\n" in seen and "✗" in seen)
        assert still(terminal.seen) == ROWS[columns]
        script.phase("web", "healthy", elapsed=1.9)
        terminal.wait_for("✓ web")
        script.tell("done", elapsed=3.2, success=False)
        assert terminal.end() == 1
        assert announced(terminal.everything) == CLOSED[columns]
        assert terminal.picture.cursor == (0, terminal.everything.count("\n"))
        assert terminal.echoes()


def test_a_good_rollout_says_how_long_it_took(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    counted(gateway, ("web", "Healthy", 2, 2))
    script.phase("web", "healthy", elapsed=1.9)
    script.tell("done", elapsed=4.2, success=True)
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        assert terminal.end() == 0
        assert announced(terminal.seen) == "  web: healthy (1.9s)\n  deployed: 1 healthy (4.2s)\n"


def test_a_deploy_without_a_change_is_over_at_once(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    counted(gateway, ("web", "Healthy", 2, 2))
    script.tell("done", elapsed=0.0, success=True)
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        assert terminal.end() == 0
        assert announced(terminal.seen) == "  deployed (0.0s)\n"


def test_a_healthy_service_counts_down_until_it_has_settled(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    web = {"name": "web", "state": "Healthy", "replicas": {"healthy": 2, "desired": 2}, "settle": 100.0}
    window = {"settlingSince": datetime.now(UTC).isoformat()}
    gateway.answers(
        "GET", "/v1/deployments/mill", as_json({"status": {"rollout": {"id": "2"}, "services": [web | window]}})
    )
    script.phase("web", "healthy")
    with on_terminal(mill, "deploy", mill.file('service "web" {}'), columns=120) as terminal:
        seen = terminal.wait_for("healthy, settles in 9")
        assert "━━━━━━━━━━  2/2" in seen
        script.phase("web", "settled")
        terminal.wait_for("✓ web")
        script.tell("done", elapsed=14.2, success=True)
        assert terminal.end() == 0
        assert announced(terminal.everything) == "  web: healthy\n  deployed: 1 healthy (14.2s)\n"


def test_a_service_that_fails_in_its_window_says_so(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    script.phase("web", "healthy", elapsed=1.0)
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        terminal.wait_for("healthy, settling")
        script.tell("failed", service="web", reason="container exited with code 1")
        script.tell("done", elapsed=9.0, success=False)
        assert terminal.end() == 1
        assert announced(terminal.everything) == (
            "  web: failed: container exited with code 1\n  deploy finished with errors: 1 failed (9.0s)\n"
        )


def test_a_timeout_leaves_the_lines_and_says_how_to_follow_it_again(
    mill: Mill, gateway: FakeGateway, script: Script
) -> None:
    script.phase("web", "scheduled", node="node-1")
    with on_terminal(mill, "deploy", mill.file('service "web" {}'), "--timeout", "2s") as terminal:
        terminal.wait_for("scheduled on node-1")
        assert terminal.end() == 3
        assert announced(terminal.everything) == (
            "  web: scheduled on node-1\nerror: the rollout has not finished after 2s\n"
            "  help: the rollout continues; `mill watch --namespace shop` follows it\n"
        )
        assert terminal.echoes()


def test_thirty_services_on_ten_lines(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    names = [f"service-{at:02}" for at in range(30)]
    counted(gateway, *((name, "Pending", 0, 1) for name in names))
    with on_terminal(
        mill, "deploy", mill.file("".join(f'service "{name}" {{}}\n' for name in names)), lines=10
    ) as terminal:
        seen = terminal.wait_for("and 23 more (23 waiting)")
        assert [line[2:12] for line in announced(seen).splitlines()[1:-1]] == names[:7]
        script.phase("service-00", "scheduled", node="node-1")
        script.phase("service-05", "healthy")  # one that is healthy makes room for those that are not
        for name in names[20:]:
            script.tell("failed", service=name, reason="tag not found")
        seen = terminal.wait_for("and 23 more (1 healthy · 3 failed · 1 starting · 18 waiting)")
        header, *rows, _ = still(seen).splitlines()
        assert header == "* 1 healthy · 10 failed · 1 starting · 18 waiting · 0s"
        assert [line[2:12] for line in rows] == names[20:27]
        for name in names[:20]:
            script.phase(name, "healthy")
        script.tell("done", elapsed=1.0, success=False)
        assert terminal.end() == 1
        assert announced(terminal.everything).splitlines() == [
            *(f"  {name}: healthy" for name in names[:20]),
            "  10 services: failed: tag not found",
            f"    {', '.join(names[20:26])},",
            f"    {', '.join(names[26:])}",
            "  deploy finished with errors: 20 healthy, 10 failed (1.0s)",
        ]


def test_what_is_healthy_as_it_was_has_no_row(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    counted(gateway, ("web", "Healthy", 1, 1), ("old", "Healthy", 1, 1), ("broken", "Pulling", 0, 2))
    script.phase("broken", "pulling")
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        seen = terminal.wait_for("0/2")
        assert "web" not in seen
        assert "old" not in seen
        script.phase("broken", "healthy")
        script.tell("done", elapsed=1.0, success=True)
        assert terminal.end() == 0
        assert announced(terminal.everything) == "  broken: healthy\n  deployed: 1 healthy (1.0s)\n"


def test_the_status_of_an_older_rollout_says_nothing(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    counted(gateway, ("web", "Healthy", 1, 1), ("old", "Healthy", 1, 1), ("broken", "Failed", 0, 1), rollout="1")
    script.phase("broken", "pulling")
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        terminal.wait_for("pulling the image")
        script.phase("broken", "healthy")
        terminal.wait_for("healthy, settling")  # the status of this rollout says whether there is a window
        script.phase("broken", "settled")
        terminal.wait_for("✓ broken")
        script.phase("web", "healthy")
        script.tell("done", elapsed=1.0, success=True)
        assert terminal.end() == 0
        assert announced(terminal.seen).splitlines() == [
            "  web:    healthy",
            "  broken: healthy",
            "  deployed: 2 healthy (1.0s)",
        ]


def test_a_window_that_changes_its_size(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    counted(gateway, ("web", "Starting", 1, 2), ("broken", "Pulling", 0, 1))
    script.phase("web", "starting")
    script.phase("broken", "pulling")
    with on_terminal(mill, "deploy", mill.file(SERVICES), columns=120) as terminal:
        terminal.wait_for("━━━━━─────  1/2")
        terminal.resize(40, 24)
        terminal.wait_for(lambda seen: "━" not in seen and "web     1/2  starting" in seen)
        terminal.resize(120, 30)
        terminal.wait_for("━━━━━─────  1/2")
        script.phase("web", "healthy", elapsed=1.9)
        script.tell("failed", **FAILURE)
        script.tell("done", elapsed=3.2, success=False)
        assert terminal.end() == 1
        assert terminal.everything.endswith(CLOSED[120])
