"""Programs that hang are started again and told as that, and programs that take long to end get the time for it."""

import subprocess
from typing import Final

from .conftest import Namespace, wait_for

HANGS: Final = """
service "hangs" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02
  env   = { STANDIN_HANG_AFTER = "6s" }

  live {
    path              = "/live"
    interval          = "2s"
    timeout           = "1s"
    failure_threshold = 2
  }
  update { settle = "30s" }
}

service "worker" {
  image = "REGISTRY/standin:1"
  cpu   = 0.02
  live { command = ["/bin/standin", "get", "http://127.0.0.1:8080/"] }
}
"""
SLOW: Final = """
service "slow" {
  image = "REGISTRY/standin:1"
  cpu   = 0.02
  stop  = "40s"
  env   = { STANDIN_STOP = "14s" }
}

service "quick" {
  image = "REGISTRY/standin:1"
  cpu   = 0.02
  stop  = "1s"
  env   = { STANDIN_STOP = "30s" }
}
"""
OTHER: Final = """
service "other" {
  image = "REGISTRY/standin:1"
  cpu   = 0.02
}
"""


def test_a_program_that_hangs_is_told_as_that(namespace: Namespace) -> None:
    done = namespace.deploy(HANGS)
    assert done.code == 1, done
    hangs = namespace.service("hangs")
    assert (hangs["state"], hangs["reason"]) == ("Failed", "LivenessFailed"), hangs
    assert hangs["message"] == "restarted since the live check failed: no answer in time"
    assert "Liveness probe failed" in hangs["evidence"]
    assert "hangs:  failed: restarted since the live check failed" in done.stdout
    assert namespace.service("worker")["state"] == "Healthy"
    (pod,) = namespace.pods("hangs")
    assert pod["status"]["containerStatuses"][0]["restartCount"] >= 1


def test_a_program_has_the_time_to_end_that_its_service_says(namespace: Namespace) -> None:
    """The signal comes to the program; after its own time it ends by itself, or is killed if it takes longer."""
    assert namespace.deploy(SLOW + OTHER).code == 0
    logs = {name: _followed(namespace, name) for name in ("slow", "quick")}
    assert namespace.deploy(OTHER).code == 0
    texts = {name: process.communicate(timeout=120)[0] for name, process in logs.items()}
    assert "received SIGTERM, ending in 14s" in texts["slow"]
    assert "ended" in texts["slow"].splitlines()[-1]
    assert "received SIGTERM, ending in 30s" in texts["quick"]
    assert "ended" not in texts["quick"]
    wait_for("no pod of them", lambda: not namespace.pods("slow") and not namespace.pods("quick"))


def _followed(namespace: Namespace, service: str) -> "subprocess.Popen[str]":
    (pod,) = namespace.pods(service)
    command = namespace.cluster.kubectl_command(
        "--namespace", namespace.name, "logs", "--follow", pod["metadata"]["name"]
    )
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
