"""What a log of CI shows of a deploy that fails: both streams in one, and the cause before it is a verdict."""

import re

import pytest

from tests.e2e.seed import LINES, SEED, notices, plan

from .conftest import MILL, Namespace

HUGE = """
service "web" {
  image  = "REGISTRY/web:1"
  memory = "900G"
}
"""
CRASH = """
service "crash" {
  image   = "REGISTRY/busybox:1"
  cpu     = 0.02
  command = ["sh", "-c", "echo connecting; echo cannot reach the database; exit 3"]
}
"""
COMMAND = """
service "command" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/nosuch", "-v"]
}
"""
UNREADY = """
service "web" {
  image   = "REGISTRY/web:1"
  port    = 8080
  cpu     = 0.02
  command = ["/web", "--ready-after", "1h"]
  health {
    path = "/healthz"
  }
}
"""


def joined(namespace: Namespace, text: str, *options: str) -> str:
    """Deploy, and return standard output and standard error as one log has them."""
    file = namespace.folder / "production.mill"
    file.write_text(text.replace("REGISTRY", namespace.registry))
    script = 'exec "$0" deploy "$@" 2>&1'
    arguments = ("bash", "-c", script, str(MILL), str(file), "--namespace", namespace.name, *options)
    return namespace.run(*arguments, check=False).stdout


def test_the_four_lines_are_in_order_in_a_log_of_both_streams(namespace: Namespace) -> None:
    log = joined(namespace, SEED)
    (notice,) = [each for each in notices(namespace.registry) if each in log]
    assert log.replace(notice, "", 1) == plan(namespace.name) + LINES


def test_a_pod_without_room_is_reported_with_the_largest_node_and_the_time(namespace: Namespace) -> None:
    planned, added, first, *_ = joined(namespace, HUGE, "--timeout", "30s").splitlines()
    assert (planned, added) == (f"plan for {namespace.name}/mill (new): 1 added", "  + service web")
    cause = re.escape("  web: waiting: no nodes available: insufficient memory (largest node: ")
    found = re.fullmatch(cause + r"\d+\.\d GiB; fails in (\d+)s\)", first)
    assert found is not None, first
    assert 60 <= int(found[1]) <= 120
    (service,) = namespace.status()["services"]
    assert service["message"] == "no nodes available: insufficient memory"


def test_a_failing_health_check_is_reported_before_its_verdict(namespace: Namespace) -> None:
    lines = joined(namespace, UNREADY, "--timeout", "25s").splitlines()
    (notice,) = [each for each in lines if "waiting:" in each]
    found = re.fullmatch(r"  web: waiting: not ready: health check: HTTP 503 \(fails in (\d+)s\)", notice)
    assert found is not None, notice
    assert 1 <= int(found[1]) <= 25
    service = namespace.service("web")
    assert (service["state"], service["healthCheck"]) == ("Starting", "HTTP 503")


# Each is deployed alone: a rollout that has failed does not wait for a neighbor's crash if that is ready for a moment.
@pytest.mark.parametrize(
    ("text", "failure", "detail"),
    [
        (CRASH, "crash: failed: container exited with code 3", "last log line: cannot reach the database"),
        (COMMAND, "command: failed: container start failed: command not found", "command /nosuch"),
    ],
    ids=["crash", "command"],
)
def test_a_failure_has_its_detail(namespace: Namespace, text: str, failure: str, detail: str) -> None:
    lines = joined(namespace, text).splitlines()
    failures = [each for each in lines if "failed: " in each]
    assert {each.partition(" (")[0].strip() for each in failures} == {failure}
    assert "\n".join(lines).count(detail) >= 1  # a crash may come twice
    assert lines[-1] == "  deploy finished with errors"
