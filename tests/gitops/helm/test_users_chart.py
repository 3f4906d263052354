"""A chart of a user's own that carries a MillDeployment: when Helm returns, with what, and what it goes back to."""

import json
import os
import subprocess

from hack.toolchain.build import HELM, HELM_3
from tests.e2e import guide
from tests.e2e.conftest import MILL, Finished, wait_for

from .conftest import CHART, MISSING, Shop

WITHIN = 20.0
"""Seconds until Helm 4 has the verdict: it polls, and this machine may be busy. A bare Deployment takes 300."""


def healthy(shop: Shop) -> dict[str, str]:
    """Install what works; return the pods."""
    done = shop.upgrade()
    assert not done.failed, done.said
    wait_for("both services", lambda: shop.namespace.status("shop").get("healthy") == "2/2")
    return shop.namespace.ready_pods("web")


class TestHelm4:
    def test_wait_ends_when_all_services_are_healthy(self, shop: Shop) -> None:
        done = shop.upgrade()
        assert not done.failed, done.said
        assert shop.namespace.status("shop")["healthy"] == "2/2", "when Helm returns, and not some time later"
        env = shop.namespace.get("milldeployment", "shop")["spec"]["services"][1]["env"]
        assert env == {"SHOP": "${service.web.address}"}

    def test_wait_ends_with_the_cause_of_a_failure(self, shop: Shop) -> None:
        web = healthy(shop)
        failed = shop.upgrade(worker_tag="missing")
        print(f"\nHelm {HELM.version}: {failed.seconds:.1f} s: {failed.said}")
        assert failed.failed
        assert failed.seconds < WITHIN
        resource = f"MillDeployment/{shop.namespace.name}/shop"
        assert f"{resource} not ready. status: Failed, message: {MISSING}" in failed.said
        assert guide.says(f"not ready. status: Failed, message: {MISSING}")
        assert shop.state() == "failed"
        assert shop.namespace.ready_pods("web") == web

        assert not shop.upgrade().failed
        assert shop.state() == "deployed"
        assert shop.namespace.ready_pods("web") == web

    def test_a_first_installation_ends_with_the_cause_too(self, shop: Shop) -> None:
        failed = shop.upgrade(worker_tag="missing")
        assert failed.failed
        assert failed.seconds < WITHIN
        assert MISSING in failed.said

    def test_rollback_on_failure_goes_back_to_what_worked(self, shop: Shop) -> None:
        web = healthy(shop)
        failed = shop.upgrade("--rollback-on-failure", worker_tag="missing", web_tag="2")
        print(f"\nHelm {HELM.version}, rolled back: {failed.seconds:.1f} s: {failed.said}")
        assert failed.failed
        assert failed.seconds < 3 * WITHIN
        assert MISSING in failed.said
        assert shop.state() == "deployed"
        services = shop.namespace.get("milldeployment", "shop")["spec"]["services"]
        assert [each["image"].rpartition(":")[2] for each in services] == ["1", "1"]
        wait_for("both services", lambda: shop.namespace.status("shop")["healthy"] == "2/2")
        assert len(shop.namespace.ready_pods("web")) == len(web)

    def test_helm_rollback_and_uninstall(self, shop: Shop) -> None:
        healthy(shop)
        assert not shop.upgrade(web_tag="2").failed
        back = shop.helm("rollback", "shop", "1", "--wait")
        assert not back.failed, back.said
        assert shop.namespace.status("shop")["healthy"] == "2/2"
        assert shop.namespace.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"].endswith(
            "web:1"
        )
        assert not shop.helm("uninstall", "shop", "--wait").failed
        wait_for("all of it to go", lambda: shop.namespace.items("deployments,services,pods") == [])

    def test_what_a_release_owns_is_refused_to_others_unless_forced(self, shop: Shop) -> None:
        web, namespace = healthy(shop), shop.namespace
        file = namespace.folder / "shop.mill"
        text = namespace.mill("history", "1", "--name", "shop").stdout
        file.write_text(text.replace("web:1", "web:2"))
        command = ("deploy", "--name", "shop", "-f", str(file))
        refused = namespace.mill(*command)
        assert refused.code == 1
        assert (
            f"MillDeployment {namespace.name}/shop is managed by the Helm release {namespace.name}/shop"
            in refused.stderr
        )
        assert "change it there, or force it (`?force=true`, `mill deploy --force`)" in refused.stderr
        for others in (("delete", "--name", "shop", "--yes"), ("rollback", "1", "--name", "shop", "--yes")):
            done = namespace.mill(*others)
            assert (done.code, "is managed by the Helm release" in done.stderr) == (1, True), done
        assert namespace.ready_pods("web") == web
        forced = namespace.mill(*command, "--force")
        assert forced.code == 0, forced
        assert namespace.ready_pods("web").keys().isdisjoint(web)

    def test_of_a_bare_deployment_it_says_no_cause_and_waits_for_its_timeout(self, shop: Shop) -> None:
        """What docs/comparison.md compares with, with a shorter timeout than the default of five minutes."""
        container = {"name": "broken", "image": f"{shop.namespace.registry}/web:missing"}
        labels = {"app": "broken"}
        spec = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        }
        bare = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "broken"}, "spec": spec}
        chart = shop.namespace.folder / "bare"
        (chart / "templates").mkdir(parents=True)
        (chart / "templates" / "bare.yaml").write_text(json.dumps(bare))
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: bare, version: 1.0.0}")
        failed = shop.helm("upgrade", "--install", "bare", str(chart), "--wait", "--timeout", "15s")
        print(f"\nHelm {HELM.version}, a bare Deployment: {failed.seconds:.1f} s: {failed.said}")
        assert failed.failed
        assert failed.seconds > 14
        assert "pull" not in failed.said.lower()
        assert "not found" not in failed.said


class TestHelm3:
    def test_wait_does_not_wait_for_kinds_that_are_not_built_in(self, shop_of_3: Shop) -> None:
        done = shop_of_3.upgrade(worker_tag="missing")
        print(f"\nHelm {HELM_3.version}: {done.seconds:.1f} s")
        assert not done.failed, "the chapter about Helm 3 would be wrong"
        assert shop_of_3.state() == "deployed"
        wait_for("the verdict", lambda: MISSING in shop_of_3.namespace.condition("Ready", "shop").get("message", ""))

    def test_what_the_guide_says_instead_waits_and_goes_back(self, shop_of_3: Shop) -> None:
        web = healthy(shop_of_3)
        done = typed(shop_of_3, "worker.tag=missing")
        assert done.code == 1, done
        assert "worker: failed: image pull failed: tag not found" in done.stdout
        assert "Rollback was a success" in done.stdout
        wait_for("both services", lambda: shop_of_3.namespace.status("shop")["healthy"] == "2/2")
        assert shop_of_3.namespace.ready_pods("web") == web
        done = typed(shop_of_3, "web.tag=2")
        assert done.code == 0, done
        assert shop_of_3.namespace.status("shop")["healthy"] == "2/2"

    def test_helm_4_takes_its_release_over(self, shop_of_3: Shop) -> None:
        web = healthy(shop_of_3)
        newer = Shop(shop_of_3.namespace)
        failed = newer.upgrade("--rollback-on-failure", worker_tag="missing")
        assert failed.failed
        assert MISSING in failed.said
        assert newer.namespace.ready_pods("web") == web
        assert not newer.upgrade(web_tag="2").failed
        assert newer.namespace.status("shop")["healthy"] == "2/2"


def typed(shop: Shop, value: str) -> Finished:
    """Type what the guide says for Helm 3, with one more value."""
    ours = f"--set registry={shop.namespace.registry} --set {value}"
    script = guide.block("sh", "helm rollback shop").replace("--namespace shop", f"--namespace {shop.namespace.name}")
    script = script.replace("./chart", f"{CHART} {ours}")
    program = shop.namespace.folder / "bin" / "helm"
    program.parent.mkdir(exist_ok=True)
    program.unlink(missing_ok=True)
    program.symlink_to(shop.program.path)
    environment = {
        **os.environ,
        **shop.namespace.cluster.environment(),
        "MILL_ADDRESS": shop.namespace.gateway,
        "PATH": f"{program.parent}:{MILL.parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    return Finished(done.returncode, done.stdout, done.stderr)
