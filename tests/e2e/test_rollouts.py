"""Rollouts of every kind: scaled, renamed, restarted, superseded, deleted and made anew; others' fields left alone."""

import json
from collections.abc import Iterable
from typing import Any

from tests.e2e.seed import NODE

from .conftest import Namespace, wait_for

WEB = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.05
  replicas = 1
}
"""
WITHOUT_REPLICAS = WEB.replace("  replicas = 1\n", "")


def lines(namespace: Namespace, text: str, *options: str, code: int = 0) -> list[str]:
    """Deploy, and return what was printed without the last line, which has the time in it."""
    done = namespace.deploy(text, *options)
    assert done.code == code, done.stdout + done.stderr
    return done.stdout.splitlines()[:-1]


def template_hashes(pods: Iterable[dict[str, Any]]) -> set[str]:
    return {pod["metadata"]["labels"]["mill.dev/template"] for pod in pods}


def test_replicas_go_up_and_down_and_to_none_with_the_same_pods(namespace: Namespace) -> None:
    assert lines(namespace, WEB) == [f"  web: scheduled on {NODE}", "  web: healthy"]
    first = namespace.ready_pods("web")
    assert lines(namespace, WEB.replace("replicas = 1", "replicas = 3")) == [
        f"  web: scheduled on {NODE}",
        "  web: healthy",
    ]
    three = namespace.ready_pods("web")
    assert len(three) == 3
    assert first.keys() < three.keys()
    assert lines(namespace, WEB.replace("replicas = 1", "replicas = 0")) == ["  web: healthy"]
    wait_for("no pod", lambda: not namespace.items("pods", "-l", "mill.dev/service=web"))
    assert namespace.status()["healthy"] == "1/1"
    assert lines(namespace, WEB) == [f"  web: scheduled on {NODE}", "  web: healthy"]


def test_a_renamed_service_is_a_new_one_and_the_old_one_stops(namespace: Namespace) -> None:
    lines(namespace, WEB)
    told = lines(namespace, WEB.replace('"web"', '"shop"'), "--replace-all")
    assert sorted(told) == ["  shop: healthy", f"  shop: scheduled on {NODE}", "  web:  stopped"]
    kinds = "deployments,services,pods"
    assert namespace.items(kinds, "-l", "mill.dev/service=web") == []
    assert len(namespace.ready_pods("shop")) == 1


def test_a_restart_that_is_asked_for_replaces_the_pods_and_only_that_service_s(namespace: Namespace) -> None:
    lines(namespace, WEB + WEB.replace('"web"', '"other"'))
    web, other = namespace.ready_pods("web"), namespace.ready_pods("other")
    rollouts = [namespace.status()["rollout"]["id"]]
    for value in ("r1", "r2"):
        namespace.kubectl(
            "annotate", "--overwrite", "md", "mill", f"restart.mill.dev/web={value}", f"mill.dev/request={value}"
        )
        wait_for(
            "the rollout's end",
            lambda value=value: (
                namespace.status()["rollout"]["id"].endswith(value)
                and namespace.status()["rollout"].get("success") is not None
            ),
        )
        rollouts.append(namespace.status()["rollout"]["id"])
        assert namespace.status()["rollout"]["success"] is True
        new = namespace.ready_pods("web")
        assert new.keys() - web.keys()
        web = new
    assert len(set(rollouts)) == 3
    assert namespace.ready_pods("other") == other
    phases = [step["phase"] for step in namespace.service("web")["transitions"]]
    assert phases[-1] == "healthy"
    assert namespace.service("web")["settlement"]
    assert namespace.service("other").get("transitions", []) == []


def test_a_newer_deploy_ends_the_one_before_it_at_any_moment(namespace: Namespace) -> None:
    """The first never becomes ready; its reader is told that it was superseded, and by what."""
    import subprocess
    import sys
    from pathlib import Path

    never = namespace.folder / "never.mill"
    slow = WEB.replace("  replicas = 1\n", '  command = ["/web", "--no-listen"]\n')
    never.write_text(slow.replace("REGISTRY", namespace.registry))
    mill = str(Path(sys.executable).with_name("mill"))
    first = subprocess.Popen(
        [mill, "deploy", "-f", str(never), "--namespace", namespace.name], stdout=subprocess.PIPE, text=True
    )
    try:
        wait_for("the first to start", lambda: namespace.service("web").get("state") == "Starting")
        assert lines(namespace, WEB) == [f"  web: scheduled on {NODE}", "  web: healthy"]
        told, _ = first.communicate(timeout=30)
    finally:
        first.kill()
    assert first.returncode == 1
    assert told.splitlines()[-2:] == ["  failed: superseded by generation 2", "  deploy finished with errors"]


def test_an_autoscaler_keeps_its_replicas_and_an_injected_container_stays(namespace: Namespace) -> None:
    lines(namespace, WITHOUT_REPLICAS)
    namespace.kubectl("scale", "deployment", "web", "--replicas=2")
    wait_for("two ready pods", lambda: namespace.service("web").get("replicas") == {
        "desired": 2, "updated": 2, "healthy": 2, "serving": 2,
    })  # fmt: skip
    sidecar = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{
            "name": "proxy",
            "image": f"{namespace.registry}/web:1",
            "env": [{"name": "PORT", "value": "9090"}],
        }]}}},
    }  # fmt: skip
    namespace.kubectl("apply", "--server-side", "--field-manager=mesh", "-f", "-", stdin=json.dumps(sidecar))
    told = lines(namespace, WITHOUT_REPLICAS.replace("web:1", "web:2"))
    assert told == [f"  web: scheduled on {NODE}", "  web: healthy"]
    deployment = namespace.get("deployment", "web")
    assert deployment["spec"]["replicas"] == 2
    containers = {each["name"]: each["image"] for each in deployment["spec"]["template"]["spec"]["containers"]}
    assert containers == {"web": f"{namespace.registry}/web:2", "proxy": f"{namespace.registry}/web:1"}


def test_nothing_is_written_that_has_not_changed(namespace: Namespace) -> None:
    lines(namespace, WEB)
    kinds = "deployments,services,milldeployments"
    wait_for("the deployment to count as available", lambda: namespace.get("deployment", "web")["status"].get(
        "availableReplicas"
    ))  # fmt: skip
    before = {each["kind"]: each["metadata"]["resourceVersion"] for each in namespace.items(kinds)}
    assert lines(namespace, WEB) == []
    after = {each["kind"]: each["metadata"]["resourceVersion"] for each in namespace.items(kinds)}
    assert {kind for kind in before if before[kind] != after[kind]} == {"MillDeployment"}


class TestQuickBadVersions:
    def test_two_bad_deploys_right_after_the_first_good_one_cost_no_pod(self, namespace: Namespace) -> None:
        """The Deployment controller counts a pod as available after ten seconds only, and ends what is not."""
        lines(namespace, WEB)
        good = namespace.ready_pods("web")
        for tag in ("missing-a", "missing-b"):
            assert lines(namespace, WEB.replace("web:1", f"web:{tag}"), code=1) == [
                "  web: failed: image pull failed: tag not found"
            ]
        wanted = f"{namespace.registry}/web:missing-b"
        wait_for("the last version's pod", lambda: [
            pod for pod in namespace.pods("web") if pod["spec"]["containers"][0]["image"] == wanted
        ])  # fmt: skip
        assert good.items() <= namespace.ready_pods("web").items()


class TestDeleted:
    """With and without an operator: everything goes but the data, and a new resource of that name takes it up."""

    DB = """
service "db" {
  image   = "REGISTRY/web:1"
  port    = 8080
  cpu     = 0.05
  volume "data" {
    path = "/data"
    size = "10M"
  }
}
"""
    KINDS = "deployments,services,replicasets,pods,cronjobs,ingresses"

    def gone(self, namespace: Namespace) -> bool:
        # "kubernetes" is a Service of the namespace "default" alone.
        return not namespace.items(self.KINDS, "-l", "mill.dev/deployment=mill")

    def test_everything_goes_but_the_claim_which_is_taken_up_again(self, namespace: Namespace) -> None:
        lines(namespace, WEB + self.DB)
        claim = namespace.get("pvc", "data")["metadata"]["uid"]
        namespace.kubectl("delete", "md", "mill", "--wait=true", "--timeout=60s")
        wait_for("all of it to go", lambda: self.gone(namespace))
        assert namespace.get("pvc", "data")["metadata"]["uid"] == claim
        assert lines(namespace, self.DB) == [f"  db: scheduled on {NODE}", "  db: healthy"]
        assert namespace.get("pvc", "data")["metadata"]["uid"] == claim
        (pod,) = namespace.pods("db")
        assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "data"

    def test_made_anew_at_once_the_old_one_s_pods_are_not_taken_for_the_new_one_s(self, namespace: Namespace) -> None:
        """They have the same template and are ready; but the garbage collector is about to take them."""
        lines(namespace, WEB)
        old = namespace.ready_pods("web")
        namespace.kubectl("delete", "md", "mill", "--wait=true", "--timeout=60s")
        assert lines(namespace, WEB) == [f"  web: scheduled on {NODE}", "  web: healthy"]
        new = namespace.ready_pods("web")
        assert len(new.keys() - old.keys()) == 1

    def test_orphaned_children_are_taken_over_without_a_restart(self, namespace: Namespace) -> None:
        lines(namespace, WEB)
        pods = namespace.ready_pods("web")
        namespace.kubectl("delete", "md", "mill", "--cascade=orphan", "--timeout=60s")
        wait_for("its owner to be taken off", lambda: not namespace.get("deployment", "web")["metadata"].get(
            "ownerReferences"
        ))  # fmt: skip
        lines(namespace, WEB)
        assert namespace.ready_pods("web") == pods
        assert namespace.get("deployment", "web")["metadata"]["ownerReferences"][0]["kind"] == "MillDeployment"
