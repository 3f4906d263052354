"""Revisions on a cluster, without the gateway: what was applied is kept, with what became of it."""

import json
from typing import Any, Final

import pytest
import yaml

from hack import images
from hack.cluster import Cluster
from hack.install import local_processes as local
from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.revisions import revisions

FILE: Final = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  env   = { VERSION = "VERSION_OF_WEB", HTML = "<b>&amp;</b> \\u00e9\\u2028 \U0001f600" }
  update { settle = "1s" }
}

task "migrate" {
  image   = "REGISTRY/busybox:1"
  cpu     = 0.02
  command = ["sh", "-c", "echo migrated"]
  before  = ["web"]
}
"""


@pytest.fixture(scope="module", autouse=True)
def image_of_migrations(cluster: Cluster) -> None:
    images.push_busybox(cluster.registry, "1")


def apply(namespace: Namespace, text: str, *, replicas: int = 1) -> dict[str, Any]:
    """Apply a file with kubectl, and return the status when its rollout has finished and is noted."""
    resource = yaml.safe_load(
        namespace.mill("render", "-f", "-", stdin=text.replace("REGISTRY", namespace.registry)).stdout
    )
    resource["spec"]["services"][0]["replicas"] = replicas
    namespace.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(resource))
    generation = namespace.get("milldeployment", "mill")["metadata"]["generation"]

    def ended() -> dict[str, Any] | None:
        status = namespace.status()
        rollout = status.get("rollout", {})
        return status if rollout.get("id") == str(generation) and rollout.get("recorded") else None

    status: dict[str, Any] = wait_for(f"the end of rollout {generation}", ended)
    return status


def jobs(namespace: Namespace) -> list[str]:
    return sorted(job["metadata"]["name"] for job in namespace.items("jobs"))


def version(number: int) -> str:
    return FILE.replace("VERSION_OF_WEB", str(number))


def test_what_was_applied_is_kept_with_its_author_result_digests_and_tasks(namespace: Namespace) -> None:
    first = apply(namespace, version(1))
    assert first["rollout"]["revision"] == 1
    broken = apply(namespace, version(2).replace("/web:1", "/web:missing"))
    assert (broken["rollout"]["success"], broken["rollout"]["revision"]) == (False, 2)
    apply(namespace, version(1))
    third, second, one = revisions(namespace)
    assert [each.result for each in (one, second, third)] == ["Succeeded", "Failed", "Succeeded"]
    assert (one.spec, one.digest) == (third.spec, third.digest) != (second.spec, second.digest)
    assert one.asked.by == "kubectl-client-side-apply"
    assert one.digests["web"].startswith("sha256:")
    (migrate,) = first["rolloutTasks"]
    assert one.tasks == {"migrate": migrate["version"]} == third.tasks
    assert len(jobs(namespace)) == 2, "going back has migrated nothing"

    stored = namespace.get("controllerrevision", "mill-1")
    assert stored["metadata"]["ownerReferences"][0]["kind"] == "MillDeployment"
    local.start(namespace.cluster, "operator")
    apply(namespace, version(1), replicas=2)
    assert [each.revision for each in revisions(namespace)] == [4, 3, 2, 1]
    assert len(jobs(namespace)) == 2


def test_others_may_patch_a_revision_and_leave_it_behind(namespace: Namespace) -> None:
    apply(namespace, version(1))
    spec = revisions(namespace)[0].spec
    namespace.kubectl("annotate", "controllerrevision", "mill-1", "example.com/note=kept")
    apply(namespace, version(1), replicas=2)
    assert [each.spec == spec for each in revisions(namespace)] == [False, True]
    namespace.kubectl("delete", "milldeployment", "mill", "--cascade=orphan", "--timeout=60s")
    left = namespace.items("controllerrevisions")
    assert [each["data"]["spec"] == spec for each in left] == [True, False]
    assert not any("ownerReferences" in each["metadata"] for each in left)


def test_a_status_that_is_lost_migrates_nothing_twice(namespace: Namespace) -> None:
    apply(namespace, version(1))
    namespace.kubectl("delete", "jobs", "--all", "--wait=true")
    empty = json.dumps([{"op": "replace", "path": "/status", "value": {}}])
    namespace.kubectl("patch", "milldeployment", "mill", "--subresource=status", "--type=json", "-p", empty)
    local.start(namespace.cluster, "operator")

    def settled() -> bool:
        rollout = namespace.status().get("rollout", {})
        return bool(rollout.get("recorded") and rollout.get("success"))

    wait_for("the status again", settled)
    assert jobs(namespace) == []
    (migrate,) = namespace.status()["rolloutTasks"]
    assert migrate["state"] == "Succeeded"
    assert [each.revision for each in revisions(namespace)] == [1]


def test_ten_are_kept_and_an_object_of_others_keeps_its_name(namespace: Namespace) -> None:
    foreign = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "mill-3", "labels": {"mill.dev/deployment": "mill"}},
        "revision": 3,
        "data": {"spec": {"services": []}},
    }
    namespace.kubectl("create", "-f", "-", stdin=yaml.safe_dump(foreign))
    before = namespace.get("controllerrevision", "mill-3")
    no_pods = 'service "web" {\n  image = "REGISTRY/web:1"\n  env = { VERSION = "VERSION_OF_WEB" }\n}\n'
    for number in range(1, 13):
        apply(namespace, no_pods.replace("VERSION_OF_WEB", str(number)), replicas=0)
    kept = revisions(namespace)
    assert [each.revision for each in kept] == [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]
    assert {each.result for each in kept} == {"Succeeded"}
    assert namespace.get("controllerrevision", "mill-3") == before
    namespace.kubectl("delete", "milldeployment", "mill")
    wait_for("the end of the revisions", lambda: len(namespace.items("controllerrevisions")) == 1)
    assert namespace.get("controllerrevision", "mill-3") == before


def test_a_paused_deployment_keeps_what_acts(namespace: Namespace) -> None:
    apply(namespace, version(1))
    namespace.kubectl("annotate", "milldeployment", "mill", "mill.dev/paused=true")
    wait_for("the pause", lambda: namespace.condition("Paused")["status"] == "True")
    resource = namespace.get("milldeployment", "mill")
    resource["spec"]["services"][0]["env"]["VERSION"] = "2"
    namespace.kubectl("replace", "-f", "-", stdin=yaml.safe_dump(resource))
    assert [each.revision for each in revisions(namespace)] == [1]
    namespace.kubectl("annotate", "milldeployment", "mill", "mill.dev/paused-")
    wait_for("the second revision", lambda: [each.revision for each in revisions(namespace)] == [2, 1])
