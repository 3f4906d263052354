"""Pods stay where neither release renders them otherwise than the other, as the golden files say."""

from pathlib import Path

import pytest

from hack.cluster import Cluster
from hack.install.releases import check_out, template, with_the_same_templates
from tests.e2e.chart.helm import CHART
from tests.e2e.chart.release import first_deploy, release_in_a_namespace
from tests.e2e.conftest import new_namespace, wait_for

from .conftest import SHOP, all_of, folder_of_this, generations, reconciled, requests

pytestmark = pytest.mark.alone

KIND_OF_WEB = "health"


def test_pods_stay_over_an_upgrade_and_a_rollback(cluster: Cluster, tmp_path: Path) -> None:
    """From the oldest commit whose golden files are today's, built from its sources, to this one, and back."""
    older = with_the_same_templates()
    assert template(check_out(older), KIND_OF_WEB) == template(folder_of_this(), KIND_OF_WEB)
    with release_in_a_namespace(cluster, tmp_path) as release, new_namespace(cluster, tmp_path) as shop:
        release.upgrade(release.add(older))
        (shop.folder / "production.mill").write_text(SHOP.replace("REGISTRY", cluster.registry))
        assert first_deploy(release, shop).code == 0
        pods, kept = shop.ready_pods("web"), generations(shop)
        assert len(pods) == 2
        with requests(shop) as client:
            for change in ("upgrade", "rollback"):
                before = release.pods()
                if change == "upgrade":
                    release.upgrade(CHART, "--reset-then-reuse-values")
                else:
                    release.helm("rollback", "mill", "--wait", "--timeout", "2m")
                wait_for("new pods of Mill alone", lambda before=before: all_of(release, before), 120)  # type: ignore[misc]
                shop.kubectl("annotate", "milldeployment", "mill", f"example.com/touched={change}", "--overwrite")
                wait_for("a verdict on each", lambda: reconciled(shop), 120)
                assert shop.ready_pods("web") == pods, change
        print(f"\n{client.answers} answers, failed: {client.failures}; from {older.commit[:12]} and back")
        assert client.failures == []
        assert generations(shop) == kept
        assert shop.service("web")["state"] == "Healthy"
