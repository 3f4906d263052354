"""What Flux makes of a MillDeployment: ready, failed with the cause, healed, removed; and never applied for nothing."""

import json
import time

from hack.gitops.flux import INTERVAL
from tests.e2e.conftest import wait_for
from tests.gitops.shop import FILE, FOLDER, shop, volume

from .conftest import Kustomization, ready_of

FAILED_WITHIN = 15.0
"""Seconds from its try until it says so: a second of ours, five until it looks, and a busy machine."""
WITH_A_VARIABLE = """
service "worker" {
  image = "REGISTRY/web:1"
  cpu   = 0.02
  env { STORE = "${service.store.address}" }
}
"""
NOTE = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}})


def test_a_commit_is_judged_healed_and_pruned(kustomization: Kustomization) -> None:
    namespace = kustomization.namespace
    first = kustomization.commit(shop(namespace))
    kustomization.start()
    good, _ = kustomization.reach(first, "True")
    assert good["reason"] == "ReconciliationSucceeded"
    assert namespace.get("milldeployment", "mill")["status"]["healthy"] == "2/2"
    web = namespace.ready_pods("web")

    refused = namespace.deploy(shop(namespace))
    assert refused.code == 1
    assert f"managed by the Flux Kustomization flux-system/{kustomization.name}" in refused.stderr, refused

    bad = kustomization.commit(shop(namespace, web="missing"))
    failed, took = kustomization.reach(bad, "False")
    print(f"\n{took:.1f} s from the try until Ready is False: {failed['message']}")
    assert failed["reason"] == "HealthCheckFailed"
    assert f"MillDeployment/{namespace.name}/mill" in failed["message"]
    assert took < FAILED_WITHIN
    assert set(web) <= set(namespace.ready_pods("web"))

    fixed = kustomization.commit(shop(namespace, web="2"))
    kustomization.reach(fixed, "True")

    kustomization.repository.commit({FILE: None, f"{FOLDER}/note.yaml": NOTE}, "remove the shop")
    wait_for("its removal", lambda: namespace.get("milldeployment", "mill") == {}, seconds=120)
    wait_for("its objects' removal", lambda: namespace.items("deployments,services,pods") == [])
    assert [each["metadata"]["name"] for each in namespace.items("persistentvolumeclaims")] == [volume(namespace)]


def test_what_is_as_it_should_be_is_left_alone(kustomization: Kustomization) -> None:
    namespace = kustomization.namespace
    commit = kustomization.commit(shop(namespace))
    kustomization.start()
    kustomization.reach(commit, "True")
    looked: list[str] = []

    def looks(count: int) -> bool:
        status = kustomization.status
        condition = ready_of(status)
        assert condition["status"] != "False", condition
        last = status["history"][0]["lastReconciled"]
        looked.extend([last] if last not in looked else [])
        return len(looked) > count

    wait_for("the operator's last word", lambda: looks(1), seconds=INTERVAL * 6)
    before = namespace.get("milldeployment", "mill")
    wait_for("three more looks", lambda: looks(4), seconds=INTERVAL * 12)
    assert namespace.get("milldeployment", "mill") == before


def test_what_somebody_changes_is_put_back(kustomization: Kustomization) -> None:
    namespace = kustomization.namespace
    commit = kustomization.commit(shop(namespace))
    kustomization.start()
    kustomization.reach(commit, "True")
    web = namespace.ready_pods("web")

    forced = namespace.deploy(shop(namespace, web="missing"), "--force")
    assert forced.code == 1
    assert "image pull failed: tag not found" in forced.stdout
    began = time.monotonic()

    def healed() -> bool:
        found = namespace.get("milldeployment", "mill")
        image = found["spec"]["services"][0]["image"]
        return image.endswith("web:1") and found["status"]["healthy"] == "2/2"

    wait_for("what Git has", healed, seconds=INTERVAL * 6)
    print(f"\n{time.monotonic() - began:.1f} s until it was as Git has it")
    assert set(web) <= set(namespace.ready_pods("web"))


def test_mills_variables_are_not_its_variables(kustomization: Kustomization) -> None:
    namespace = kustomization.namespace
    text = shop(namespace) + WITH_A_VARIABLE
    taken = kustomization.commit(text)
    kustomization.start(postBuild={"substitute": {"tag": "1"}})
    refused, _ = kustomization.reach(taken, "False")
    print(f"\n{refused['message']}")
    assert namespace.get("milldeployment", "mill") == {}

    overlay = {"resources": ["mill.yaml"], "commonAnnotations": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}}
    left = kustomization.repository.commit({f"{FOLDER}/kustomization.yaml": json.dumps(overlay)}, "leave it alone")
    kustomization.reach(left, "True")
    services = {each["name"]: each for each in namespace.get("milldeployment", "mill")["spec"]["services"]}
    assert services["worker"]["env"] == {"STORE": "${service.store.address}"}
