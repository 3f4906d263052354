"""Upgrade from the release before, and go back: requests, streams, stored objects and pods meanwhile."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.install.crd import install_crd
from hack.install.releases import PREVIOUS, check_out, template
from tests.e2e.chart.helm import CHART
from tests.e2e.chart.release import Release
from tests.e2e.conftest import Namespace, wait_for

from .conftest import NEWER, SLOW, all_of, deploy, deploying, folder_of_this, generations, reconciled, requests, stored

pytestmark = pytest.mark.alone

KIND_OF_WEB = "health"
"""The golden file of a service like `web`: with a port and a check of its health."""


def is_drained(pod_template: dict[str, Any]) -> bool:
    """Whether a pod waits until it has left the endpoints before it stops. Those of 0.1 do not."""
    return "preStop" in pod_template["spec"]["containers"][0].get("lifecycle", {})


def served_schema(shop: Namespace) -> str:
    return shop.kubectl("get", "crd", "milldeployments.mill.dev", "-o", "jsonpath={.spec.versions[0].schema}")


def schema_of(folder: Path) -> str:
    definition = yaml.safe_load((folder / "charts/mill/files/milldeployments.yaml").read_text())
    return json.dumps(definition["spec"]["versions"][0]["schema"])


def fields_of(schema: str) -> set[str]:
    """Return the fields that a service may have."""
    spec = json.loads(schema)["openAPIV3Schema"]["properties"]["spec"]
    return set(spec["properties"]["services"]["items"]["properties"])


def accepted(shop: Namespace, found: dict[str, Any]) -> None:
    """Have the API server look at a stored object as if somebody replaced it by itself."""
    del found["metadata"]["resourceVersion"]  # the operator writes its status meanwhile
    shop.kubectl("replace", "--dry-run=server", "-f", "-", stdin=json.dumps(found))


def only_service_of(shop: Namespace, name: str) -> dict[str, Any]:
    """Return the one service of a MillDeployment, as it is stored."""
    (found,) = stored(shop)[name]["spec"]["services"]
    return dict(found)


def pods_as_the_golden_files_say(shop: Namespace, pods: dict[str, str], *, same: bool) -> dict[str, str]:
    """Wait until `web` has the pods that it should have: the same ones, or others alone. Return them."""
    if same:
        found = shop.ready_pods("web")
        assert found == pods, "neither release renders it otherwise than the other"
        return found
    wait_for("new pods alone", lambda: not {each["metadata"]["uid"] for each in shop.pods("web")} & set(pods), 120)
    wait_for("both of them", lambda: len(shop.ready_pods("web")) == 2)
    return shop.ready_pods("web")


def test_an_upgrade_costs_no_request_no_stream_and_no_stored_object(release: Release, shop: Namespace) -> None:
    older = template(check_out(PREVIOUS), KIND_OF_WEB)
    same = older == template(folder_of_this(), KIND_OF_WEB)
    pods, before, kept = shop.ready_pods("web"), release.pods(), generations(shop)
    with requests(shop) as client, deploying(release, shop, "slow", SLOW) as following:
        release.upgrade(CHART, "--reset-then-reuse-values")
        wait_for("new pods of Mill alone", lambda: all_of(release, before), 120)
        assert following.poll() is None, "the rollout outlives both"
        pods_as_the_golden_files_say(shop, pods, same=same)
        said, errors = following.communicate(timeout=150)
    print(f"\n{client.answers} answers, failed: {client.failures}; pods are {'the same' if same else 'new'}\n{said}")
    assert following.returncode == 0, errors
    lines = said.splitlines()
    assert [line.partition("scheduled")[0] for line in lines[:1]] == ["  slow: "]
    assert lines[1:2] == ["  slow: healthy"], "each event once"
    assert [line.partition("(")[0] for line in lines[2:]] == ["  deployed "]
    assert client.answers > 100
    # A pod of 0.1 is gone before all of its node knows: each may cost the request that arrives just then.
    assert len(client.failures) <= (0 if same or is_drained(older) else len(pods)), client.failures

    assert fields_of(served_schema(shop)) == fields_of(schema_of(folder_of_this()))
    wait_for("a verdict on each", lambda: reconciled(shop), 120)
    assert {name: generation for name, generation in generations(shop).items() if name in kept} == kept
    for name, each in stored(shop).items():
        accepted(shop, each)
        shop.kubectl("annotate", "milldeployment", name, "example.com/touched=true")
    assert shop.condition("Ready")["status"] == "True"


def test_a_rollback_costs_no_request_no_stream_and_no_stored_object(release: Release, shop: Namespace) -> None:
    same = template(check_out(PREVIOUS), KIND_OF_WEB) == template(folder_of_this(), KIND_OF_WEB)
    assert deploy(release, shop, "newer", NEWER).code == 0
    pods, before, kept = shop.ready_pods("web"), release.pods(), generations(shop)
    with requests(shop) as client, deploying(release, shop, "slower", SLOW.replace("slow", "slower")) as following:
        release.helm("rollback", "mill", "1", "--wait", "--timeout", "2m")
        wait_for("new pods of Mill alone", lambda: all_of(release, before), 120)
        pods_as_the_golden_files_say(shop, pods, same=same)
        said, errors = following.communicate(timeout=150)
    print(f"\n{client.answers} answers, failed: {client.failures}; pods are {'the same' if same else 'new'}\n{said}")
    assert following.returncode == 0, errors
    assert [line.partition("(")[0] for line in said.splitlines()[-2:]] == ["  slower: healthy", "  deployed "]
    assert client.answers > 100
    assert client.failures == []

    assert fields_of(served_schema(shop)) == fields_of(schema_of(check_out(PREVIOUS)))
    wait_for("a verdict on each", lambda: reconciled(shop), 120)
    assert {name: generation for name, generation in generations(shop).items() if name in kept} == kept
    for each in stored(shop).values():
        accepted(shop, each)
    assert shop.condition("Ready")["status"] == "True"
    assert "live" not in only_service_of(shop, "newer"), "the older CRD has no such field"
    assert shop.condition("Ready", "newer")["status"] == "True"
    install_crd(shop.cluster)
    assert "live" not in only_service_of(shop, "newer"), "what was dropped does not come back by itself"
