"""Services with data: one pod at a time, and the version that worked comes back when the new one fails."""

import pytest

from .conftest import Namespace, wait_for

DB = """
service "db" {
  image  = "REGISTRY/web:1"
  port   = 8080
  cpu    = 0.05
  volume "data" {
    path = "/data"
    size = "10M"
  }
}
"""
CRASH = '["/web", "--no-listen", "--exit-after", "1ms", "--exit-code", "3"]'
BAD = {
    "missing tag": (DB.replace("web:1", "web:missing"), "TagNotFound"),
    "crash": (DB.replace("  port ", f"  command = {CRASH}\n  port "), "ContainerExited"),
}


def _image(namespace: Namespace) -> str:
    container = namespace.get("deployment", "db")["spec"]["template"]["spec"]["containers"][0]
    return str(container["image"]).rpartition(":")[2] + " ".join(container.get("command", ()))


@pytest.mark.parametrize("case", BAD)
def test_the_version_that_worked_comes_back_and_the_verdict_and_its_evidence_stay(
    namespace: Namespace, case: str
) -> None:
    bad, code = BAD[case]
    assert namespace.deploy(DB).code == 0
    wait_for("the first version to be proved", lambda: namespace.service("db").get("healthyTemplate"))
    good = namespace.ready_pods("db")
    done = namespace.deploy(bad)
    assert done.code == 1
    (line, last) = done.stdout.splitlines()[-2:]
    assert line.startswith("  db: failed: ")
    assert last == "  deploy finished with errors"
    back = wait_for("a ready pod of the version that worked", lambda: namespace.ready_pods("db"))
    assert back.keys().isdisjoint(good)
    assert _image(namespace) == "1"
    service = namespace.service("db")
    assert (service["state"], service["reason"]) == ("Failed", code)
    assert service["evidence"]
    assert service["healthyTemplate"] != service["failedTemplate"] == service["template"]
    assert namespace.condition("Stalled")["reason"] == code
    # Asked again, it is tried again, with the same end.
    again = namespace.deploy(bad)
    assert again.stdout.splitlines()[-2:] == [line, last]
    wait_for("a ready pod once more", lambda: namespace.ready_pods("db"))
    # A version that works is the end of it.
    fixed = namespace.deploy(DB.replace("web:1", "web:2"))
    assert fixed.code == 0
    assert _image(namespace) == "2"
    assert "failedTemplate" not in namespace.service("db")
    assert namespace.condition("Ready")["status"] == "True"


def test_a_version_that_listens_and_then_exits_does_not_settle_and_goes_too(namespace: Namespace) -> None:
    assert namespace.deploy(DB).code == 0
    assert namespace.service("db")["healthyTemplate"]
    dying = DB.replace("  port ", '  update { settle = "10s" }\n  command = ["/web", "--exit-after", "4s"]\n  port ')
    assert namespace.deploy(dying).code == 1
    wait_for("a ready pod of the version that worked", lambda: namespace.ready_pods("db"))
    assert _image(namespace) == "1"
    assert namespace.service("db")["message"] == "container exited with code 1"
    assert namespace.status()["rollout"]["success"] is False


def test_a_volume_that_is_added_to_a_running_service_keeps_it_running_as_one_pod(namespace: Namespace) -> None:
    plain = DB[: DB.index("  volume")] + "}\n"
    assert namespace.deploy(plain).code == 0
    assert namespace.get("deployment", "db")["spec"]["strategy"]["type"] == "RollingUpdate"
    assert namespace.deploy(DB).code == 0
    assert namespace.get("deployment", "db")["spec"]["strategy"] == {"type": "Recreate"}
    assert namespace.deploy(plain).code == 0
    assert namespace.get("deployment", "db")["spec"]["strategy"]["type"] == "RollingUpdate"
    assert namespace.get("pvc", "data")["metadata"]["labels"]["mill.dev/service"] == "db"


def test_a_volume_cannot_shrink_and_the_service_that_wants_it_fails_while_it_runs_on(namespace: Namespace) -> None:
    assert namespace.deploy(DB).code == 0
    pods = namespace.ready_pods("db")
    done = namespace.deploy(DB.replace("10M", "5M"))
    assert done.code == 1
    assert namespace.service("db")["reason"] == "Refused"
    assert "storage" in namespace.service("db")["message"]
    assert namespace.ready_pods("db") == pods
