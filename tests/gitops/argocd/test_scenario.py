"""What Argo CD makes of a MillDeployment: healthy, degraded with the cause, healed, removed; and never out of sync."""

import json
import os
import re
import time
from typing import Any

import yaml

from hack.gitops.argocd import NAMESPACE
from tests.e2e.conftest import wait_for
from tests.gitops.shop import FILE, FOLDER, shop, volume

from .conftest import Application, manifest

SECONDS = float(os.environ.get("MILL_ARGOCD_SECONDS", "300"))
"""For how long an application is watched that must not go out of sync."""
DEGRADED_WITHIN = 10.0
"""What is promised, from the end of the sync."""


def test_a_commit_is_judged_healed_and_pruned(application: Application) -> None:
    namespace = application.namespace
    first = application.commit(shop(namespace))
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

    refused = namespace.deploy(shop(namespace))
    assert refused.code == 1
    assert re.search(rf"managed by the Argo CD application (\S+/)?{application.name}", refused.stderr), refused

    bad = application.commit(shop(namespace, web="missing"))
    took = application.reach(bad, "Degraded")
    print(f"\n{took:.1f} s from the end of the sync until Degraded")
    assert took < DEGRADED_WITHIN
    assert "web: image pull failed: tag not found" in application.told()
    assert set(web) <= set(namespace.ready_pods("web"))

    fixed = application.commit(shop(namespace, web="2"))
    application.reach(fixed, "Healthy")
    wait_for("our words", lambda: application.told() == "2 of 2 healthy")

    application.repository.commit({FILE: None, f"{FOLDER}/note.yaml": _note()}, "remove the shop")
    wait_for("its removal", lambda: namespace.get("milldeployment", "mill") == {}, seconds=120)
    wait_for("its objects' removal", lambda: namespace.items("deployments,services,pods") == [])
    assert [each["metadata"]["name"] for each in namespace.items("persistentvolumeclaims")] == [volume(namespace)]


def test_the_next_wave_waits_for_the_verdict(application: Application) -> None:
    namespace, note = application.namespace, f"{FOLDER}/note.yaml"
    application.repository.commit({note: _note({"argocd.argoproj.io/sync-wave": "1"})}, "a note, after the shop")
    application.commit(shop(namespace, web="missing"))
    policy = manifest(application, retry={"limit": 5, "refresh": True})
    namespace.kubectl("apply", "--namespace", NAMESPACE, "-f", "-", stdin=policy)
    failed = wait_for(
        "the end of a try",
        lambda: application.status.get("operationState", {}).get("retryCount") and application.status["operationState"],
        seconds=120,
    )
    assert namespace.get("configmap", "note") == {}, failed
    assert "web: image pull failed: tag not found" in application.told()

    application.reach(application.commit(shop(namespace)), "Healthy")
    assert namespace.get("configmap", "note") != {}


def test_it_is_never_out_of_sync(application: Application) -> None:
    namespace = application.namespace
    commit = application.commit(shop(namespace))
    namespace.kubectl("apply", "--namespace", NAMESPACE, "-f", "-", stdin=manifest(application))
    application.reach(commit, "Healthy")
    with application.watched() as states:
        before = application.status["reconciledAt"]
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            time.sleep(min(20.0, SECONDS / 4))
            refresh = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}}
            patch = ("patch", "applications.argoproj.io", application.name, "--namespace", NAMESPACE, "--type=merge")
            namespace.run(*namespace.cluster.kubectl_command(*patch, "-p", json.dumps(refresh)), check=False)
        after = wait_for("its status", lambda: application.status.get("reconciledAt"))
    print(f"\n{len(states)} states in {SECONDS:.0f} s: {', '.join(sorted(set(states)))}")
    assert after > before  # it has looked
    assert set(states) == {"Synced Healthy"}, states
    assert [each["sync"] for each in _history(application)] == [commit]


def _kinds(application: Application) -> set[str]:
    return {each["kind"] for each in application.argo.tree(application.name)}


def _history(application: Application) -> list[dict[str, Any]]:
    return [{"sync": each["revision"]} for each in application.status.get("history", ())]


def _note(annotations: dict[str, str] | None = None) -> str:
    metadata = {"name": "note", "annotations": annotations or {}}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
