"""A paused MillDeployment: changes are written and wait, and what is deleted is made again after the pause."""

from typing import Any

from .conftest import Namespace, wait_for

WEB = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  env      = { VERSION = "1" }
}
"""


def conditions(namespace: Namespace) -> dict[str, Any]:
    status = namespace.get("md", "mill").get("status", {})
    return {each["type"]: each["status"] for each in status.get("conditions", ())}


def test_changes_wait_until_they_are_resumed(namespace: Namespace) -> None:
    assert namespace.deploy(WEB).code == 0
    assert namespace.mill("pause").code == 0
    wait_for("the condition Paused", lambda: conditions(namespace) == {"Ready": "True", "Paused": "True"})
    namespace.kubectl("delete", "service/web")
    waiting = namespace.deploy(WEB.replace('"1" }', '"2" }'), "--timeout", "3s")
    assert waiting.code == 3
    assert "waiting: paused" in waiting.stderr
    assert namespace.get("service", "web") == {}
    env = namespace.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "VERSION", "value": "1"} in env
    assert conditions(namespace) == {"Ready": "True", "Paused": "True"}
    assert "paused" in namespace.mill("status").stdout
    assert namespace.mill("resume").code == 0
    watched = namespace.mill("watch")
    assert (watched.code, "deployed" in watched.stdout) == (0, True)
    assert namespace.get("service", "web") != {}
    assert conditions(namespace) == {"Ready": "True"}


def test_a_pause_by_annotation_keeps_a_new_deployment_from_starting(namespace: Namespace) -> None:
    rendered = namespace.mill("render", "-", stdin=WEB.replace("REGISTRY", namespace.registry)).stdout
    paused = rendered.replace("metadata:\n", 'metadata:\n  annotations:\n    mill.dev/paused: "true"\n', 1)
    namespace.kubectl("apply", "-f", "-", stdin=paused)
    wait_for("the condition Paused", lambda: conditions(namespace) == {"Ready": "False", "Paused": "True"})
    assert namespace.get("deployment", "web") == {}
    namespace.kubectl("annotate", "md/mill", "mill.dev/paused-")
    wait_for("a ready deployment", lambda: conditions(namespace) == {"Ready": "True"})
