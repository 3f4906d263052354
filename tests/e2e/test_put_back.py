"""Edits of child objects are put back and reported: as Events, in `mill history` and in the status."""

import json
from typing import Any

from .conftest import Namespace, wait_for

SERVICES = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  replicas = 2
  env      = { KEY = "s3cret" }
}

service "free" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}
"""
CPU = {"type": "Utilization", "averageUtilization": 80}
AUTOSCALER: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "spec": {
        "minReplicas": 3,
        "maxReplicas": 4,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": CPU}}],
    },
}


def events(namespace: Namespace) -> list[tuple[str, str, str]]:
    """Return the type, reason and message of each Event about edits."""
    found = ((each["type"], each["reason"], each["message"]) for each in namespace.items("events"))
    return sorted(each for each in found if each[1] in ("PutBack", "AutoscalerConflict"))


def autoscaler(service: str) -> str:
    """Return an autoscaler that wants three replicas at least: it takes no metrics for that."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": service}
    spec = {**AUTOSCALER["spec"], "scaleTargetRef": target}
    return json.dumps({**AUTOSCALER, "metadata": {"name": service}, "spec": spec})


def replicas(namespace: Namespace, service: str) -> int:
    return int(namespace.get("deployment", service).get("spec", {}).get("replicas", -1))


def test_edits_of_others_are_put_back_and_reported(namespace: Namespace) -> None:
    assert namespace.deploy(SERVICES).code == 0
    assert events(namespace) == []
    image = f"{namespace.registry}/web:1"

    namespace.kubectl("scale", "deployment/web", "--replicas=5")
    scaled = ("Normal", "PutBack", "Deployment web: replicas 5 → 2, by kubectl-scale")
    wait_for("the Event of the scale", lambda: scaled in events(namespace))
    assert replicas(namespace, "web") == 2

    namespace.kubectl("set", "image", "deployment/free", "free=other:2")
    set_image = ("Normal", "PutBack", f"Deployment free: image other:2 → {image} of container free, by kubectl-set")
    wait_for("the Event of the image", lambda: set_image in events(namespace))

    namespace.kubectl("delete", "service/web")
    made_again = ("Normal", "PutBack", "Service web: deleted, made again")
    wait_for("the Event of the deletion", lambda: made_again in events(namespace))
    assert namespace.get("service", "web")

    # Within the minute of the first report of this object.
    namespace.kubectl("set", "env", "deployment/web", "KEY=hunter2")
    wait_for(
        "the environment to be put back",
        lambda: "hunter2" not in json.dumps(namespace.get("deployment", "web")["spec"]),
    )
    assert events(namespace) == sorted([scaled, set_image, made_again])
    environment = ("Normal", "PutBack", "Deployment web: env of container web, by kubectl-set")
    wait_for("the Event of the environment", lambda: environment in events(namespace), 90)

    reported = namespace.mill("history").stdout
    assert "put back: Deployment web: env of container web, by kubectl-set" in reported
    assert len(namespace.status()["rollout"]["putBack"]) == 4
    assert "hunter2" not in json.dumps(namespace.status())


def test_an_autoscaler_beside_replicas_is_a_conflict_and_without_them_is_not(namespace: Namespace) -> None:
    assert namespace.deploy(SERVICES).code == 0
    namespace.kubectl("apply", "-f", "-", stdin=autoscaler("free"))
    namespace.kubectl("apply", "-f", "-", stdin=autoscaler("web"))
    wait_for("the autoscaler's replicas", lambda: replicas(namespace, "free") == 3, 90)
    wait_for("the conflict", lambda: events(namespace), 90)
    ((kind, reason, message),) = events(namespace)
    assert (kind, reason) == ("Warning", "AutoscalerConflict")
    assert message.startswith("Deployment web: replicas 3 → 2, by kube-controller-manager: ")
    assert replicas(namespace, "free") == 3
    assert "delete the autoscaler" in namespace.mill("status").stdout

    # What the warning says to do.
    assert namespace.deploy(SERVICES.replace("  replicas = 2\n", "")).code == 0
    assert replicas(namespace, "web") >= 2, "it does not begin at one again"
    wait_for("the autoscaler's replicas", lambda: replicas(namespace, "web") == 3, 90)
    wait_for("the end of the warning", lambda: not namespace.status().get("warnings"))
