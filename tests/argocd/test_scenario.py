"""What Argo CD makes of a MillDeployment: healthy, degraded with the cause, healed, removed; and never out of sync."""

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from hack.argocd import NAMESPACE, ArgoCD
from tests.e2e.conftest import wait_for

from .conftest import Application, manifest

GOOD = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}

service "store" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  volume "VOLUME" {
    path = "/data"
    size = "10M"
  }
}
"""
SECONDS = float(os.environ.get("MILL_ARGOCD_SECONDS", "300"))
"""For how long an application is watched that must not go out of sync."""
DEGRADED_WITHIN = 10.0
"""What is promised, from the end of the sync."""
CUSTOMIZATIONS = Path(__file__).parents[2] / "charts/mill/files/argocd/resource_customizations/mill.dev/MillDeployment"


def shop(application: Application) -> str:
    return GOOD.replace("VOLUME", f"data-{application.namespace.name}")


def test_a_commit_is_judged_healed_and_pruned(application: Application) -> None:
    namespace = application.namespace
    first = application.commit(shop(application))
    namespace.kubectl("apply", "--namespace", NAMESPACE, "-f", "-", stdin=manifest(application))
    application.reach(first, "Healthy")
    wait_for("our words", lambda: application.told() == "2 of 2 healthy")
    web = namespace.ready_pods("web")

    nodes = wait_for(
        "the tree",
        lambda: (
            _kinds(application) >= {"Deployment", "ReplicaSet", "Pod", "Service"}
            and application.argo.tree(application.name)
        ),
    )
    above = {
        each["name"]: each.get("parentRefs", [{}])[0].get("kind") for each in nodes if each["kind"] == "Deployment"
    }
    assert above == {"web": "MillDeployment", "store": "MillDeployment"}

    refused = namespace.deploy(shop(application))
    assert refused.code == 1
    assert re.search(rf"managed by the Argo CD application (\S+/)?{application.name}", refused.stderr), refused

    bad = application.commit(shop(application).replace("web:1", "web:missing", 1))
    took = application.reach(bad, "Degraded")
    print(f"\n{took:.1f} s from the end of the sync until Degraded")
    assert took < DEGRADED_WITHIN
    assert "web: image pull failed: tag not found" in application.told()
    assert set(web) <= set(namespace.ready_pods("web"))

    fixed = application.commit(shop(application).replace("web:1", "web:2", 1))
    application.reach(fixed, "Healthy")
    wait_for("our words", lambda: application.told() == "2 of 2 healthy")

    application.repository.commit({"app/mill.yaml": None, "app/note.yaml": _note()}, "remove the shop")
    wait_for("its removal", lambda: namespace.get("milldeployment", "mill") == {}, seconds=120)
    wait_for("its objects' removal", lambda: namespace.items("deployments,services,pods") == [])
    assert [each["metadata"]["name"] for each in namespace.items("persistentvolumeclaims")] == [
        f"data-{namespace.name}"
    ]


def test_it_is_never_out_of_sync(application: Application) -> None:
    namespace = application.namespace
    commit = application.commit(shop(application))
    namespace.kubectl("apply", "--namespace", NAMESPACE, "-f", "-", stdin=manifest(application))
    application.reach(commit, "Healthy")
    states: list[str] = []
    command = namespace.cluster.kubectl_command(
        *("get", "applications.argoproj.io", application.name, "--namespace", NAMESPACE, "--watch"),
        *("-o", r"jsonpath={.status.sync.status} {.status.health.status}{'\n'}"),
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        reader = threading.Thread(
            target=lambda out=watch.stdout: states.extend(line.strip() for line in out), daemon=True
        )
        reader.start()
        before = application.status["reconciledAt"]
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            time.sleep(min(20.0, SECONDS / 4))
            refresh = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}}
            patch = ("patch", "applications.argoproj.io", application.name, "--namespace", NAMESPACE, "--type=merge")
            namespace.run(*namespace.cluster.kubectl_command(*patch, "-p", json.dumps(refresh)))
        after = application.status["reconciledAt"]
        watch.terminate()
        reader.join(timeout=10)
    assert after > before  # it has looked
    assert set(states) == {"Synced Healthy"}, states
    assert [each["sync"] for each in _history(application)] == [commit]


def test_the_health_check_says_what_its_test_cases_say(argo: ArgoCD) -> None:
    cases = yaml.safe_load((CUSTOMIZATIONS / "health_test.yaml").read_text())["tests"]
    assert {each["inputPath"] for each in cases} == {
        f"testdata/{file.name}" for file in (CUSTOMIZATIONS / "testdata").iterdir()
    }
    for case in cases:
        wanted = case["healthStatus"]
        assert argo.health(CUSTOMIZATIONS / case["inputPath"]) == (wanted["status"], wanted["message"]), case


def _kinds(application: Application) -> set[str]:
    return {each["kind"] for each in application.argo.tree(application.name)}


def _history(application: Application) -> list[dict[str, Any]]:
    return [{"sync": each["revision"]} for each in application.status.get("history", ())]


def _note() -> str:
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}})
