"""What is imported for a command: scripts call `mill` over and over, and wait for all of it."""

import sys

import pytest

from hack.pictures.terminal import Terminal
from tests.cli.conftest import MILL, Mill
from tests.cli.fake_gateway import FakeGateway, as_json, refusal, rollout

TELLING = (sys.executable, "-X", "importtime", str(MILL))
"""`mill` that says on standard error what it imports."""
HEAVY = ("httpx", "httpcore", "h11", "_ssl", "urllib.request", "importlib.metadata", "tempfile", "shutil")
"""Modules that take long to import, and that a gateway at an `http:` address without a proxy needs none of."""


def imported(said: str) -> set[str]:
    """Return the modules that were, and their packages."""
    modules = {line.rpartition("|")[2].strip() for line in said.splitlines() if "import time:" in line}
    return modules | {each.partition(".")[0] for each in modules}


def test_a_deploy_imports_no_models(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(("done", {"elapsed": 1.0, "success": True})))
    mill.file('service "web" {}')
    done = Mill(gateway, mill.folder, mill.printed, TELLING)("deploy", "production.mill")
    assert done.code == 0
    said = imported(done.stderr)
    assert "mill_language" in said, "the names of the services are read"
    assert not said & {"pydantic", "yaml", "tree_sitter", *HEAVY}


def test_a_status_imports_a_plain_client_alone(mill: Mill, gateway: FakeGateway) -> None:
    for path in ("status", "services", "tasks", "nodes"):
        gateway.answers("GET", f"/v1/{path}", as_json({} if path == "status" else []))
    telling = Mill(gateway, mill.folder, mill.printed, TELLING)
    done = telling("status")
    assert done.code == 0
    assert not imported(done.stderr) & {"pydantic", "yaml", "tree_sitter", "mill_language", *HEAVY}
    assert "httpx" in imported(telling("status", HTTP_PROXY=gateway.url).stderr), "it knows proxies"


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        (("deploy", "production.mill"), "deploying production.mill to"),
        (("restart", "web"), "restarting web at"),
        (("watch", "-n", "shop"), "watching shop/mill at"),
    ],
)
def test_a_terminal_has_a_sign_of_life_before_most_is_imported(
    mill: Mill, gateway: FakeGateway, command: tuple[str, ...], sign: str
) -> None:
    mill.file('service "web" {}')
    gateway.answers("POST", "/v1/restart/web", refusal(403, "no"))
    with Terminal(*TELLING, *command, environment=mill.environment(), folder=mill.folder) as terminal:
        terminal.end()
        said = terminal.raw.decode()
    assert f"{sign} {gateway.url}" in said
    before, _, after = said.partition(sign)
    assert "click" in imported(before)
    assert not imported(before) & {"http", "ssl", "pydantic", "tree_sitter"}
    assert "http" in imported(after)


def test_a_log_and_json_have_no_sign_of_life(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(("done", {"elapsed": 1.0, "success": True})))
    mill.file('service "web" {}')
    assert mill("deploy", "production.mill").stderr == ""
    for option in ("--json", "-q"):
        with Terminal(
            MILL, "deploy", "production.mill", option, environment=mill.environment(), folder=mill.folder
        ) as run:
            assert run.end() == 0
            assert b"deploying" not in run.raw


def test_a_password_in_the_address_is_not_shown(mill: Mill) -> None:
    mill.file('service "web" {}')
    address = {"MILL_ADDRESS": "http://me:hunter2@127.0.0.1:9"}
    with Terminal(
        MILL, "deploy", "production.mill", environment=mill.environment(**address), folder=mill.folder
    ) as run:
        assert run.end() == 2
        assert b"deploying production.mill to http://\xe2\x80\xa6@127.0.0.1:9" in run.raw
        assert b"hunter2" not in run.raw
