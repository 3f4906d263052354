"""Users, disks, limits and places of pods on a real cluster, and what an administrator permits of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hack import images
from hack.cluster import Cluster

from .conftest import Namespace, wait_for
from .faults.operator_process import OperatorProcess

DB = """
service "db" {
  image   = "REGISTRY/busybox:1"
  cpu     = 0.02
  memory  = "16M"
  command = ["sh", "-c", "touch /data/x && exec sleep 3600"]
  user    = 1000
  volume "data" {
    path = "/data"
    size = "10M"
  }
}
"""
WEB = """
service "web" {
  image  = "REGISTRY/web:1"
  port   = 8080
  cpu    = 0.02
  memory = "32M"
  MORE
}
"""
ROOM = """
apiVersion: v1
kind: Pod
metadata:
  name: room
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: room
    image: REGISTRY/busybox:1
    command: [sh, -c, "mkdir -m 755 -p /host/NAME && touch /tmp/made && exec sleep 3600"]
    readinessProbe:
      exec: {command: [cat, /tmp/made]}
      periodSeconds: 1
    volumeMounts:
    - {name: host, mountPath: /host}
    - {name: own, mountPath: /tmp}
  volumes:
  - name: host
    hostPath: {path: /var/tmp}
  - name: own
    emptyDir: {}
"""


def web(*lines: str) -> str:
    return WEB.replace("MORE", "\n  ".join(lines))


@pytest.fixture(scope="module", autouse=True)
def shell(cluster: Cluster) -> None:
    """Push a shell and its tools."""
    images.push_busybox(cluster.registry, "1")


@pytest.fixture
def disk_of_root(namespace: Namespace) -> Iterator[None]:
    """A disk for the claim `data` as most storage classes make it: it belongs to root, and only root may write to it.

    The cluster's own class makes folders in which all may write, and of which the kubelet changes no group.
    """
    name = namespace.name
    namespace.kubectl("create", "-f", "-", stdin=ROOM.replace("REGISTRY", namespace.registry).replace("NAME", name))
    namespace.kubectl("wait", "--for=condition=Ready", "pod/room", "--timeout=60s")
    (default,) = (
        each["metadata"]["name"]
        for each in namespace.items("storageclasses")
        if each["metadata"].get("annotations", {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    )
    node = namespace.get("pod", "room")["spec"]["nodeName"]
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    volume: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "10M"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": default,
            "claimRef": {"namespace": name, "name": "data"},
            "local": {"path": f"/var/tmp/{name}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
    namespace.kubectl("create", "-f", "-", stdin=yaml.safe_dump(volume))
    # The controller of volumes knows it then: it would provide another disk for a claim that it sees before.
    namespace.kubectl("wait", "--for=jsonpath={.status.phase}=Available", f"persistentvolume/{name}", "--timeout=60s")
    try:
        yield
    finally:
        namespace.kubectl("exec", "room", "--", "rm", "-rf", f"/host/{name}")
        namespace.kubectl("delete", "persistentvolume", name, "--wait=false")


@pytest.mark.usefixtures("disk_of_root")
def test_a_disk_of_root_is_named_and_a_group_lets_a_user_write_to_it(namespace: Namespace) -> None:
    done = namespace.deploy(DB)
    assert namespace.get("persistentvolumeclaim", "data")["spec"]["volumeName"] == namespace.name, "another disk"
    assert done.code == 1
    service = namespace.service("db")
    assert (service["state"], service["reason"]) == ("Failed", "ContainerExited")
    assert service["detail"] == "last log line: touch: /data/x: Permission denied"
    assert service["suggestion"].startswith("Add `group = 1000` to the service if the volume at /data belongs to root")
    done = namespace.deploy(DB.replace("  user ", "  group   = 1000\n  user "))
    assert done.code == 0, done.stdout
    (pod,) = namespace.pods("db")
    listed = namespace.kubectl("exec", pod["metadata"]["name"], "--", "ls", "-ln", "/data/x").split()
    assert listed[2:4] == ["1000", "1000"]


def test_a_pod_has_the_identity_and_the_limits_of_the_file(namespace: Namespace) -> None:
    node = namespace.items("nodes")[0]["metadata"]["labels"]
    arch, host = node["kubernetes.io/arch"], node["kubernetes.io/hostname"]
    place = f'place {{\n    arch = "{arch}"\n    labels = {{ "kubernetes.io/hostname" = "{host}" }}\n  }}'
    limits = 'limits {\n    cpu = "none"\n    memory = "64M"\n  }'
    text = web("user = 4711", "group = 4712", "read_only_root = true", 'pull = "absent"', limits, place)
    done = namespace.deploy(text)
    assert done.code == 0, done.stdout
    (pod,) = namespace.pods("web")
    spec, container = pod["spec"], pod["spec"]["containers"][0]
    assert container["resources"] == {"requests": {"cpu": "20m", "memory": "32M"}, "limits": {"memory": "64M"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "runAsUser": 4711,
        "runAsGroup": 4712,
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
    }
    assert spec["securityContext"]["fsGroup"] == 4712
    assert spec["imagePullSecrets"] == [{"name": "absent"}]
    assert spec["nodeSelector"] == {"kubernetes.io/arch": arch, "kubernetes.io/hostname": host}
    assert spec["nodeName"]
    assert pod["status"]["qosClass"] == "Burstable"


def test_a_place_and_a_gpu_that_no_node_has_are_named(namespace: Namespace) -> None:
    nodes = len(namespace.items("nodes"))
    gpu = web("gpu = 1").replace('"web"', '"gpu"', 1)
    namespace.deploy(web('place { labels = { "e2e.example/pool" = "none" } }') + gpu, "--timeout", "1s")

    def detail(name: str, words: str) -> bool:
        return words in (namespace.service(name).get("detail") or "")

    wait_for("the place", lambda: detail("web", "not match `place`: e2e.example/pool=none"))
    wait_for("the GPU", lambda: detail("gpu", "not have enough for `gpu`"))
    assert detail("web", f"{nodes} of {nodes} node")
    message = "no nodes available: insufficient nvidia.com/gpu"
    assert (namespace.service("gpu")["message"], namespace.service("gpu")["state"]) == (message, "Suspect")


REFUSED = {
    "toleration": (
        'place { tolerate = ["gpu"] }',
        "service.web.place.tolerate.0: toleration of 'gpu' is not permitted",
    ),
    "label": ('labels = { app = "db" }', "service.web.labels.app: label 'app' is not permitted"),
    "signal": ('stop_signal = "SIGQUIT"', "service.web.stop_signal: stop_signal is not permitted in this cluster"),
    "annotation": (
        'annotations = { "example.com/a" = "b" }',
        "service.web.annotations.example.com/a: annotation 'example.com/a' is not permitted",
    ),
}


@pytest.mark.parametrize(("line", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_the_administrator_does_not_permit_is_refused_by_name(
    namespace: Namespace, line: str, problem: str
) -> None:
    done = namespace.deploy(web(line))
    assert done.code == 1
    assert problem in done.stdout + done.stderr
    assert namespace.items("deployments,pods") == []


@pytest.mark.alone
def test_what_the_administrator_permits_reaches_the_pods(namespace: Namespace) -> None:
    operator = OperatorProcess(namespace.cluster)
    prefix = "e2e.example/"
    try:
        settings = {"MILL_TOLERATIONS": "e2e", "MILL_POD_LABELS": prefix, "MILL_POD_ANNOTATIONS": prefix}
        operator.start({**settings, "MILL_RESTRICTED": "true"})
        text = web(
            'labels = { "e2e.example/team" = "shop" }',
            'annotations = { "e2e.example/a" = "b" }',
            'place { tolerate = ["e2e"] }',
        )
        done = namespace.deploy(text)
        assert done.code == 0, done.stdout
        (pod,) = namespace.pods("web")
        assert pod["metadata"]["labels"]["e2e.example/team"] == "shop"
        assert pod["metadata"]["annotations"]["e2e.example/a"] == "b"
        assert {"key": "e2e", "operator": "Exists"} in pod["spec"]["tolerations"]
        deployment = namespace.get("deployment", "web")
        assert "e2e.example/team" not in json.dumps(deployment["spec"]["selector"])
        root = namespace.deploy(web("user = 0"))
        assert root.code == 1
        assert "service.web.user: user 0 is root" in root.stdout + root.stderr
    finally:
        operator.restore()
