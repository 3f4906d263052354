"""Mill's own chart with Helm 3 and Helm 4."""

from pathlib import Path

import pytest
import yaml

from hack import versions
from hack.cluster import Cluster
from hack.toolchain.build import HELM, HELM_3
from tests.e2e.chart.helm import CHART, EVERYTHING, helm
from tests.e2e.chart.release import Release, release_in_a_namespace
from tests.e2e.conftest import Finished, Namespace, new_namespace, wait_for

WEB = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  replicas = 2
  cpu      = 0.02
  health { path = "/healthz" }
}
"""


@pytest.mark.parametrize("settings", [(), EVERYTHING], ids=["defaults", "everything"])
def test_both_render_the_same(settings: tuple[str, ...]) -> None:
    chosen = [word for each in settings for word in ("--set", each)]
    # A Helm 3 that is built from its module says that clusters have 1.20; the published one says another one.
    always = ("template", "mill", str(CHART), "--kube-version", versions.KUBERNETES)
    by_4, by_3 = (list(yaml.safe_load_all(helm(*always, *chosen, program=each))) for each in (HELM, HELM_3))
    assert by_3 == by_4
    assert len(by_4) > 20


def test_helm_4_takes_over_what_helm_3_has_installed(cluster: Cluster, tmp_path: Path) -> None:
    """By the commands that people type, without options against conflicts."""
    with release_in_a_namespace(cluster, tmp_path) as release, new_namespace(cluster, tmp_path, "shop") as shop:
        release.program = HELM_3
        release.put(CHART, **{"gateway.token.create": "true"})
        assert deploy(release, shop).code == 0
        pods, resource = shop.ready_pods("web"), shop.get("milldeployment", "mill")["metadata"]

        release.program = HELM
        before = release.pods()
        release.helm("upgrade", "mill", str(CHART), "--wait", "--reuse-values", "--set", "operator.settle=3s")
        replaced(release, before)
        assert deploy(release, shop).code == 0
        release.test()

        before = release.pods()
        release.helm("rollback", "mill", "1", "--wait")
        replaced(release, before)
        assert deploy(release, shop).code == 0

        assert shop.ready_pods("web") == pods
        after = shop.get("milldeployment", "mill")["metadata"]
        assert (after["uid"], after["generation"]) == (resource["uid"], resource["generation"])


def deploy(release: Release, shop: Namespace) -> Finished:
    """Deploy through the installed gateway."""
    file = shop.folder / "production.mill"
    file.write_text(WEB.replace("REGISTRY", shop.registry))
    return release.mill("deploy", "-f", str(file), "--namespace", shop.name)


def replaced(release: Release, before: list[str]) -> None:
    """Wait until no pod of Mill is left of those before. The gateway has no setting that changed, and may stay."""
    operator = "app.kubernetes.io/name=mill-operator"
    wait_for(
        "a new operator alone",
        lambda: not {each["metadata"]["uid"] for each in release.namespace.items("pods", "-l", operator)} & {*before},
        seconds=120,
    )
