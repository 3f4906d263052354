"""What is imported for a command: scripts call `mill` over and over, and wait for all of it."""

import sys

import pytest

from hack.pictures.terminal import Terminal
from tests.cli.conftest import MILL, Mill
from tests.cli.fake_gateway import FakeGateway, as_json, rollout

TELLING = (sys.executable, "-X", "importtime", str(MILL))
"""`mill` that says on standard error what it imports."""


def imported(said: str) -> set[str]:
    """Return the packages that were."""
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in said.splitlines() if "import time:" in line}


@pytest.mark.parametrize("command", [("status",), ("deploy", "production.mill"), ("watch",), ("--version",)])
def test_plain_output_does_not_import_rich(mill: Mill, gateway: FakeGateway, command: tuple[str, ...]) -> None:
    answer = rollout(("progress", {"service": "web", "phase": "healthy"}), ("done", {"elapsed": 1.0, "success": True}))
    for path in ("services", "tasks", "nodes"):
        gateway.answers("GET", f"/v1/{path}", as_json([]))
    gateway.answers("GET", "/v1/status", as_json({}))
    gateway.answers("POST", "/v1/deploy", answer)
    gateway.answers("GET", "/v1/deployments/mill/events", answer)
    mill.file('service "web" {}')
    done = Mill(gateway, mill.folder, mill.printed, TELLING)(*command)
    assert done.code == 0
    said = imported(done.stderr)
    assert "mill_cli" in said
    assert not said & {"rich", "pygments"}


def test_a_deploy_imports_no_models(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(("done", {"elapsed": 1.0, "success": True})))
    mill.file('service "web" {}')
    done = Mill(gateway, mill.folder, mill.printed, TELLING)("deploy", "production.mill")
    assert done.code == 0
    said = imported(done.stderr)
    assert "tree_sitter" in said, "the names of the services are read"
    assert not said & {"pydantic", "yaml"}


def test_live_output_imports_rich(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(("done", {"elapsed": 1.0, "success": True})))
    mill.file('service "web" {}')
    with Terminal(
        *TELLING, "deploy", "production.mill", environment=mill.environment(), folder=mill.folder
    ) as terminal:
        assert terminal.end() == 0
        said = imported(terminal.raw.decode())
        assert "rich" in said
        assert "pygments" not in said
