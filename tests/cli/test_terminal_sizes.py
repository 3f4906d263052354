"""A deploy of 1, 12 and 40 services on terminals of 60, 80 and 140 columns: its frames, and what stays.

`MILL_UPDATE_GOLDEN=1 pytest tests/cli/test_terminal_sizes.py` writes the golden files again: read the difference.
"""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json
from tests.cli.screens import Script, announced, counted, on_terminal, stopped

GOLDEN = Path(__file__).parent / "golden"
LINES = 24
NAMES = (
    *("web", "api", "cron-runner", "reports", "search", "mailer"),
    *("payments-worker-that-retries-what-the-bank-has-refused-eu-west-1", "cache", "thumbnails", "auth", "billing"),
    "db",
)
MISSING = "image pull failed: tag not found"
PUSH = "Check the name and tag of the image, and whether it was pushed."
UNSCHEDULABLE = "no nodes available: insufficient memory"


def services(count: int) -> list[str]:
    """Return the names of so many services."""
    return [NAMES[at % len(NAMES)] + (f"-{at // len(NAMES)}" if at >= len(NAMES) else "") for at in range(count)]


def state(at: int, count: int) -> str:
    """Return what becomes of a service at its place."""
    if count == 1:
        return "failed"
    kinds = {2: "failed", 5: "failed", 3: "crashed", 4: "suspect", 7: "starting", 9: "waiting", 11: "pulling"}
    return kinds.get(at % len(NAMES), "healthy")


def plan(names: list[str]) -> Answer:
    """The answer of a gateway that has none of the services yet."""
    added = [{"name": name, "change": "added", "fields": []} for name in names]
    answer = {"namespace": "shop", "name": "mill", "created": True, "base": "0", "services": added, "tasks": []}
    return as_json({**answer, "volumes_kept": []})


def tell(script: Script, name: str, kind: str) -> None:
    """Tell what has become of a service so far."""
    if kind == "failed":
        image = f"registry.example/shop/{name}:2026-11"
        more = {"code": "TagNotFound", "detail": f"image {image}", "suggestion": PUSH}
        script.tell("failed", service=name, reason=MISSING, evidence=f'failed to pull "{image}": not found', **more)
    elif kind == "crashed":
        more = {"code": "ContainerExited", "suggestion": f"Read all of its output: mill logs {name}"}
        evidence = "listening on port 8080\npanic: DATABASE_URL is not set"
        script.tell("failed", service=name, reason="container exited with code 1", evidence=evidence, **more)
    elif kind == "suspect":
        script.phase(name, kind, message=UNSCHEDULABLE)
    elif kind == "waiting":
        script.phase(name, kind, message="waiting for db")
    else:
        script.phase(name, "scheduled", node="node-1")
        script.phase(name, kind, elapsed=3.9)


@pytest.mark.parametrize("count", [1, 12, 40])
@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_deploy_is_as_in_the_golden_file(mill: Mill, gateway: FakeGateway, columns: int, count: int) -> None:
    names, script = services(count), Script()
    kinds = {name: state(at, count) for at, name in enumerate(names)}
    gateway.plans(plan(names))
    gateway.answers("POST", "/v1/deploy", script.answer())
    counted(gateway, *((name, "Pending", 0, 3 if name == "api" else 1) for name in names))
    file = mill.file("".join(f'service "{name}" {{}}\n' for name in names))
    with on_terminal(mill, "deploy", file, "--yes", columns=columns, lines=LINES) as terminal:
        terminal.wait_for("waiting")
        for name, kind in kinds.items():
            tell(script, name, kind)
        failed = sum(kind in ("failed", "crashed") for kind in kinds.values())
        healthy = sum(kind == "healthy" for kind in kinds.values())
        first = f" {healthy} healthy · {failed} failed" if count > 1 else "tag not found"
        last = {1: "tag not found", 12: "pulling the image", 40: "and 19 more (17 healthy"}[count]
        above, _, below = terminal.wait_for(lambda seen: first in seen and last in seen).partition(first)
        frame = stopped(above.rpartition("\n")[2] + first + below)
        for name, kind in kinds.items():
            if kind not in ("failed", "crashed", "healthy"):
                script.phase(name, "healthy", elapsed=12.5)
        script.tell("done", elapsed=25.1, success=False)
        assert terminal.end() == 1
        seen = f"{frame}---\n{announced(terminal.everything)}"
    script.end()
    golden = GOLDEN / f"{count}-services-{columns}-columns.txt"
    if os.environ.get("MILL_UPDATE_GOLDEN"):
        golden.write_text(seen)
    assert seen == golden.read_text()
    shown, _, stays = seen.partition("---\n")
    assert len(shown.splitlines()) < LINES
    assert max(map(len, seen.splitlines())) <= columns
    assert all(stays.count(f" {name}") >= 1 or len(name) > columns // 2 for name in names)
