"""A rollout on a terminal: rows while it goes on, and the seed's lines in the end."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json
from tests.cli.screens import FAILURE, SERVICES, Script, counted, on_terminal, still

ROWS = {
    40: """\
* web     1/2  starting
✗ broken  0/1  failed: image pull fail…
""",
    60: """\
* web     ━━━━━─────  1/2   0s  starting
✗ broken  ──────────  0/1   0s  failed: image pull failed:…
""",
    80: """\
* web     ━━━━━─────  1/2   0s  starting
✗ broken  ──────────  0/1   0s  failed: image pull failed: tag not found
""",
}
ROWS[120] = ROWS[80]
SETTLED = {
    40: """\
  web:    scheduled on node-1
  web:    healthy
  broken: failed: image pull failed:
          tag not found
    | failed to pull and unpack image
    |   "registry.example/web:missing":
    |   not found
    | second line
    help: push the tag, or name
          one that the registry has
    code: TagNotFound (`mill
          explain TagNotFound`)
  deploy finished with errors
""",
    60: """\
  web:    scheduled on node-1
  web:    healthy
  broken: failed: image pull failed: tag not found
    | failed to pull and unpack image
    |   "registry.example/web:missing": not found
    | second line
    help: push the tag, or name one that the registry
          has
    code: TagNotFound (`mill explain TagNotFound`)
  deploy finished with errors
""",
    120: """\
  web:    scheduled on node-1
  web:    healthy
  broken: failed: image pull failed: tag not found
    | failed to pull and unpack image "registry.example/web:missing": not found
    | second line
    help: push the tag, or name one that the registry has
    code: TagNotFound (`mill explain TagNotFound`)
  deploy finished with errors
""",
}
SETTLED[80] = SETTLED[120].replace('web:missing": not found', 'web:missing": not\n    |   found')


@pytest.fixture
def script(gateway: FakeGateway) -> Iterator[Script]:
    """The stream that a deploy is answered with."""
    made = Script()
    gateway.answers("POST", "/v1/deploy", made.answer())
    yield made
    made.end()


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_rows_become_the_seeds_lines(mill: Mill, gateway: FakeGateway, script: Script, columns: int) -> None:
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
        terminal.wait_for(lambda seen: "starting" in seen and "✗" in seen)
        assert still(terminal.seen) == ROWS[columns]
        script.phase("web", "healthy")
        terminal.wait_for("  web:    healthy")
        script.tell("done", elapsed=3.2, success=False)
        assert terminal.end() == 1
        assert terminal.everything == SETTLED[columns]
        assert terminal.picture.cursor == (0, SETTLED[columns].count("\n"))
        assert terminal.echoes()


def test_a_good_rollout_says_how_long_it_took(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    counted(gateway, ("web", "Healthy", 2, 2))
    script.phase("web", "healthy")
    script.tell("done", elapsed=4.2, success=True)
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        assert terminal.end() == 0
        assert terminal.seen == "  web: healthy\n  deployed (4.2s)\n"


def test_a_healthy_service_counts_down_until_it_has_settled(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    web = {"name": "web", "state": "Healthy", "replicas": {"healthy": 2, "desired": 2}, "settle": 100.0}
    window = {"settlingSince": datetime.now(UTC).isoformat()}
    gateway.answers(
        "GET", "/v1/deployments/mill", as_json({"status": {"rollout": {"id": "2"}, "services": [web | window]}})
    )
    script.phase("web", "healthy")
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        seen = terminal.wait_for("healthy, settles in 9")
        assert "━━━━━━━━━━  2/2" in seen
        script.phase("web", "settled")
        terminal.wait_for("  web: healthy\n")
        script.tell("done", elapsed=14.2, success=True)
        assert terminal.end() == 0
        assert terminal.everything == "  web: healthy\n  deployed (14.2s)\n"


def test_a_service_that_fails_in_its_window_says_so(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    script.phase("web", "healthy")
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        terminal.wait_for("healthy, settling")
        script.tell("failed", service="web", reason="container exited with code 1")
        script.tell("done", elapsed=9.0, success=False)
        assert terminal.end() == 1
        assert terminal.everything == (
            "  web: healthy\n  web: failed: container exited with code 1\n  deploy finished with errors\n"
        )


def test_a_timeout_leaves_the_lines_and_says_how_to_follow_it_again(
    mill: Mill, gateway: FakeGateway, script: Script
) -> None:
    script.phase("web", "scheduled", node="node-1")
    with on_terminal(mill, "deploy", mill.file('service "web" {}'), "--timeout", "2s") as terminal:
        terminal.wait_for("scheduled on node-1")
        assert terminal.end() == 3
        assert terminal.everything == (
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
        seen = terminal.wait_for("and 22 more")
        assert [line[2:12] for line in seen.splitlines()] == [*names[:8], "and 22 more"[:10]]
        script.phase("service-00", "scheduled", node="node-1")
        script.phase("service-05", "healthy")  # one that has its verdict makes room for those that have none
        seen = terminal.wait_for("service-08")
        assert "service-05" not in seen
        assert len(seen.splitlines()) == 9
        for name in names:
            if name != "service-05":
                script.phase(name, "healthy")
        script.tell("done", elapsed=1.0, success=True)
        assert terminal.end() == 0
        told = [f"  {name}: healthy" for name in names]
        assert terminal.everything.splitlines() == ["  service-00: scheduled on node-1", *told, "  deployed (1.0s)"]


def test_what_is_healthy_as_it_was_has_no_row_and_holds_up_nobody(
    mill: Mill, gateway: FakeGateway, script: Script
) -> None:
    counted(gateway, ("web", "Healthy", 1, 1), ("old", "Healthy", 1, 1), ("broken", "Pulling", 0, 1))
    script.phase("broken", "pulling")
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        seen = terminal.wait_for("0/1")
        assert "web" not in seen
        assert "old" not in seen
        script.phase("broken", "healthy")
        terminal.wait_for("  broken: healthy")
        script.tell("done", elapsed=1.0, success=True)
        assert terminal.end() == 0


def test_the_status_of_an_older_rollout_says_nothing(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    counted(gateway, ("web", "Healthy", 1, 1), ("old", "Healthy", 1, 1), ("broken", "Failed", 0, 1), rollout="1")
    script.phase("broken", "pulling")
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        terminal.wait_for("pulling the image")
        script.phase("broken", "healthy")
        terminal.wait_for("healthy, settling")  # the status of this rollout says whether there is a window
        script.phase("broken", "settled")
        terminal.wait_for("✓ broken")  # web comes before it, and may have something to tell
        script.phase("web", "healthy")
        script.tell("done", elapsed=1.0, success=True)
        assert terminal.end() == 0
        assert terminal.seen.splitlines() == ["  web:    healthy", "  broken: healthy", "  deployed (1.0s)"]


def test_a_window_that_changes_its_size(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    counted(gateway, ("web", "Starting", 1, 2), ("broken", "Pulling", 0, 1))
    script.phase("web", "starting")
    script.phase("broken", "pulling")
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        terminal.wait_for("━━━━━─────  1/2")
        terminal.resize(40, 24)
        terminal.wait_for(lambda seen: "━" not in seen and "web     1/2  starting" in seen)
        terminal.resize(120, 30)
        terminal.wait_for("━━━━━─────  1/2")
        script.phase("web", "healthy")
        script.tell("failed", **FAILURE)
        script.tell("done", elapsed=3.2, success=False)
        assert terminal.end() == 1
        assert terminal.everything == SETTLED[120].replace("  web:    scheduled on node-1\n", "")


def test_long_reasons_and_names_stay_in_their_columns(mill: Mill, gateway: FakeGateway, script: Script) -> None:
    name = "a-service-with-a-name-that-is-as-long-as-kubernetes-allows-sixty"
    counted(gateway, (name, "Suspect", 10, 100), ("web", "Pending", 0, 1))
    script.phase(name, "suspect", message="restarted again and again " * 20)
    with on_terminal(mill, "deploy", mill.file(f'service "{name}" {{}}\nservice "web" {{}}')) as terminal:
        seen = terminal.wait_for("10/100")
        first, second = still(seen).splitlines()
        assert first == "* a-service-with-a-name-tha…  ━─────────  10/100   0s  restarted again and aga…"
        assert second == "* web                         ──────────     0/1   0s  waiting"
        script.tell("failed", service=name, reason="漢字" * 60)
        script.phase("web", "healthy")
        script.tell("done", elapsed=1.0, success=False)
        assert terminal.end() == 1
        assert "".join(terminal.seen.split()).count("漢字") == 60
        assert terminal.seen.endswith("healthy\n  deploy finished with errors\n")
