"""Names that other owners have: a service with one is not written, and nothing that is not ours is changed or used."""

import json
from typing import Any, Final

import pytest

from mill_kube.client import KubeClient
from tests.support.writing import SingleWrites

from .conftest import Namespace, wait_for

WEB = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
}
"""
VOLUME = '  volume "data" {\n    path = "/data"\n    size = "10M"\n  }\n}\n'
CLAIM: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
}


def with_volume(text: str) -> str:
    return text.rstrip().removesuffix("}") + VOLUME


def create(namespace: Namespace, body: dict[str, Any]) -> None:
    namespace.kubectl("create", "-f", "-", stdin=json.dumps(body))


def test_an_update_with_a_volume_of_others_leaves_the_old_version_running_and_heals(namespace: Namespace) -> None:
    assert namespace.deploy(WEB).code == 0
    pods, before = namespace.ready_pods("web"), namespace.get("deployment", "web")["spec"]
    create(namespace, CLAIM)
    refused = namespace.deploy(with_volume(WEB.replace("web:1", "web:2")))
    assert refused.code == 1
    assert refused.stdout.splitlines()[0].startswith('  web: failed: PersistentVolumeClaim "data" belongs to kubectl')
    assert namespace.get("deployment", "web")["spec"] == before
    assert namespace.ready_pods("web") == pods
    assert "mill.dev" not in json.dumps(namespace.get("pvc", "data"))
    namespace.kubectl("delete", "pvc", "data", "--timeout=30s")
    wait_for("the service to be healthy by itself", lambda: namespace.service("web").get("state") == "Healthy", 120)
    assert namespace.get("pvc", "data")["metadata"]["labels"]["mill.dev/deployment"] == "mill"
    assert namespace.ready_pods("web").keys().isdisjoint(pods)


def test_no_pod_of_a_second_resource_runs_on_the_data_of_the_first(namespace: Namespace) -> None:
    first = with_volume(WEB.replace('"web"', '"db"'))
    assert namespace.deploy(first).code == 0
    refused = namespace.deploy(with_volume(WEB) + WEB.replace('"web"', '"other"'), "--name", "second")
    assert refused.code == 1
    lines = refused.stdout.splitlines()
    assert '  web:   failed: PersistentVolumeClaim "data" belongs to MillDeployment mill' in lines
    assert "  other: healthy" in lines, "other services go on"
    assert namespace.items("deployments,services,ingresses", "-l", "mill.dev/service=web") == []
    assert namespace.pods_created("web") == 0


def test_a_variable_and_a_route_that_leave_the_file_leave_the_objects(namespace: Namespace) -> None:
    env = '  env = {\n    KEPT = "1"\n    GONE = "2"\n  }\n'
    kept, gone = (f"{each}.{namespace.name}.example.com" for each in ("kept", "gone"))
    leaving = f'  route "{gone}" {{\n    path = "/"\n  }}\n'
    full = WEB.rstrip().removesuffix("}") + env + f'  route "{kept}" {{\n    path = "/"\n  }}\n{leaving}}}\n'
    assert namespace.deploy(full).code == 0

    def hosts() -> list[str]:
        return [rule["host"] for rule in namespace.get("ingress", "web").get("spec", {}).get("rules", ())]

    assert hosts() == [kept, gone]
    less = full.replace('    GONE = "2"\n', "").replace(leaving, "")
    assert namespace.deploy(less).code == 0
    (container,) = namespace.get("deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in container["env"] if each["name"] in ("KEPT", "GONE")] == ["KEPT"]
    assert hosts() == [kept]
    assert namespace.deploy(WEB).code == 0
    wait_for("the Ingress to be gone", lambda: hosts() == [])


BACKEND = {"service": {"name": "theirs", "port": {"number": 80}}}
POD = {"containers": [{"name": "web", "image": "registry.invalid/web:1"}]}
FOREIGN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Deployment": (
        "apps/v1",
        "web",
        {
            "replicas": 0,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD},
        },
    ),
    "Service": ("v1", "web", {"selector": {"a": "b"}, "ports": [{"name": "other", "port": 80}]}),
    "Service without a selector": ("v1", "web", {"ports": [{"name": "other", "port": 80}]}),
    "Ingress": (
        "networking.k8s.io/v1",
        "web",
        {
            "ingressClassName": "theirs",
            "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND}]}}],
        },
    ),
    "Ingress without rules": ("networking.k8s.io/v1", "web", {"defaultBackend": BACKEND}),
    "PersistentVolumeClaim": ("v1", "data", CLAIM["spec"]),
    "CronJob": (
        "batch/v1",
        "migrate",
        {
            "schedule": "0 0 31 2 *",
            "suspend": True,
            "jobTemplate": {"spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}},
        },
    ),
}
"""Objects of other users with the names of ours. Some have no field that conflicts with one of ours."""


@pytest.mark.parametrize("case", FOREIGN)
async def test_an_object_that_appears_after_the_lookup_is_not_changed(
    namespace: Namespace, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer knows that the name is free, as after a lookup a moment before."""
    (api_version, name, spec), kind = FOREIGN[case], case.partition(" ")[0]
    create(namespace, {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec})
    before = namespace.get(kind, name)
    monkeypatch.setenv("KUBECONFIG", str(namespace.cluster.kubeconfig))
    async with await KubeClient.connect(namespace.cluster.context) as client:
        writes = SingleWrites(client, namespace.name)
        child = writes.child(kind)
        assert not await writes.create(child)
    problem = writes.memory.problem(child)
    assert problem is not None
    assert (problem.kind, problem.message) == ("taken", f'{kind} "{name}" belongs to kubectl-create')
    after = namespace.get(kind, name)
    assert (after["spec"], after["metadata"].get("labels")) == (before["spec"], before["metadata"].get("labels"))
    assert "mill" not in json.dumps(after["metadata"].get("ownerReferences", []))
