"""`mill logs` on the real cluster: before a restart, since a moment, of several replicas, and of a run without logs."""

import pytest

from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.gateway.conftest import StartGateway

FILE = """
service "crashing" {
  image    = "REGISTRY/web:1"
  cpu      = 0.02
  replicas = 2
  command  = ["/web", "-no-listen", "-print", "last words", "-exit-after", "8s"]
}
task "missing" {
  image = "REGISTRY/web:missing"
  cpu   = 0.02
}
"""


@pytest.fixture
def crashing(namespace: Namespace, start_gateway: StartGateway) -> Namespace:
    """A namespace where both replicas of a service have restarted. Each run is long enough to read the one before."""
    namespace.gateway = start_gateway().url
    assert namespace.deploy(FILE).code == 0

    def restarted() -> bool:
        statuses = [pod["status"].get("containerStatuses", [{}])[0] for pod in namespace.pods("crashing")]
        return len(statuses) == 2 and all(each.get("restartCount", 0) >= 1 for each in statuses)

    wait_for("restarts", restarted)
    return namespace


def test_lines_before_a_restart_and_their_pods(crashing: Namespace) -> None:
    pods = {pod["metadata"]["name"] for pod in crashing.pods("crashing")}

    def before() -> set[str]:
        lines = crashing.mill("logs", "crashing", "--previous", "--prefix", "--grep", "^last w").stdout.splitlines()
        return {line for line in lines if line.endswith("last words")}

    # The log of a container that waits for its restart may be none for a moment.
    wait_for("lines of both", lambda: before() == {f"[{pod}] last words" for pod in pods})
    plain = crashing.mill("logs", "crashing", "--grep", "last words")
    assert set(plain.stdout.splitlines()) == {"last words"}
    recent = ("logs", "crashing", "--since", "1h", "--grep", "exiting with code")
    wait_for("the end of a run", lambda: "exiting with code 1" in crashing.mill(*recent).stdout)


def test_a_run_that_never_started_says_why(crashing: Namespace) -> None:
    failed = crashing.mill("spawn", "missing")
    assert failed.code == 1
    told = crashing.mill("logs", "missing")
    assert (told.stdout, told.code) == ("", 1)
    assert told.stderr.startswith("error: run missing-")
    assert "started: image pull failed: tag not found (TagNotFound)" in told.stderr
