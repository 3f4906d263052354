"""What Flux's helm-controller makes of a chart with a MillDeployment: ready, failed, gone back."""

import time

from tests.e2e.conftest import wait_for

from .conftest import HelmRelease

FAILED_WITHIN = 30.0
"""Seconds from the change until it says so; it waits by polling, and this machine may be busy."""


def ready(release: HelmRelease, generation: int) -> bool:
    return release.conditions(generation).get("Ready", {}).get("status") == "True"


def test_a_release_is_installed_fails_and_goes_back(helm_release: HelmRelease) -> None:
    namespace = helm_release.namespace
    helm_release.commit("the chart")
    first = helm_release.put()
    wait_for("the release", lambda: ready(helm_release, first), seconds=120)
    assert namespace.status("shop")["healthy"] == "2/2", "Flux has waited for the verdict"
    web = namespace.ready_pods("web")

    began = time.monotonic()
    bad = helm_release.put(worker={"tag": "missing"})
    released = wait_for(
        "its failure",
        lambda: (found := helm_release.conditions(bad).get("Released", {})).get("reason") == "UpgradeFailed" and found,
        seconds=120,
    )
    took = time.monotonic() - began
    print(f"\n{took:.1f} s from the change until UpgradeFailed: {released['message']}")
    assert took < FAILED_WITHIN
    assert f"[MillDeployment/{namespace.name}/shop status: 'Failed']" in released["message"]

    wait_for("what was before", lambda: "Remediated" in helm_release.conditions(bad), seconds=120)
    print(helm_release.conditions(bad)["Remediated"]["message"])
    wait_for("both services", lambda: namespace.status("shop")["healthy"] == "2/2")
    assert namespace.ready_pods("web") == web

    fixed = helm_release.put(worker={"tag": "2"})
    wait_for("the release", lambda: ready(helm_release, fixed), seconds=120)
    assert namespace.status("shop")["healthy"] == "2/2"

    file = namespace.folder / "shop.mill"
    file.write_text(f'service "web" {{\n  image = "{namespace.registry}/web:1"\n}}\n')
    refused = namespace.mill("deploy", "--name", "shop", "-f", str(file))
    assert refused.code == 1
    assert f"managed by the Flux HelmRelease {namespace.name}/shop" in refused.stderr, refused

    helm_release.remove()
    wait_for("all of it to go", lambda: namespace.items("deployments,services,pods") == [])
