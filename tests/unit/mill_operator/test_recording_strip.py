"""Stripped recordings: nothing that a verdict needs is missing, and nothing else is in them."""

import copy
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from mill_api.spec import MillDeploymentSpec
from mill_operator.core.objects.rendering import ParsedSpec
from mill_operator.core.observed.allocatable import project_allocatable
from mill_operator.core.observed.children import project_child
from mill_operator.core.observed.events import project_events
from mill_operator.core.observed.mill_deployments import project_mill_deployment
from mill_operator.core.observed.nodes import project_node
from mill_operator.core.observed.pods import project_pod
from mill_operator.recordings.sketches import objects_of
from mill_operator.recordings.strip import stripped
from tests.fuzz.projections import PROJECTIONS
from tests.support.outside_cases import read
from tests.support.recordings import PODS, body

SECRET: Final = "hunter2-is-a-secret"
PROJECTIONS_OF: Final[dict[str, Callable[[Any], object]]] = {
    "Pod": project_pod,
    "Deployment": lambda body: project_child("Deployment", body),
    "PersistentVolumeClaim": lambda body: project_child("PersistentVolumeClaim", body),
    "Event": lambda body: project_events([body]),
    "Node": project_node,
}
SKETCHED: Final = [each for case in read("texts") for each in objects_of([case])]


def _same(kind: str, original: dict[str, Any]) -> None:
    kept = stripped({"kind": kind, **original})
    assert kept is not None
    project = PROJECTIONS_OF[kind]
    assert project({**kept, "metadata": {"resourceVersion": "0", **kept["metadata"]}}) == project(
        {**original, "metadata": {"resourceVersion": "0", **original["metadata"]}}
    )


@pytest.mark.parametrize("name", [file.stem for file in sorted(PODS.glob("*.json"))])
def test_a_stripped_pod_has_all_that_is_kept_of_it(name: str) -> None:
    _same("Pod", body(name))


def test_stripped_objects_have_all_that_is_kept_of_them() -> None:
    for each in SKETCHED:
        if each["kind"] == "Event":
            each["involvedObject"]["kind"] = "Pod"
        _same(each["kind"], each)


def test_a_stripped_node_has_all_that_is_kept_of_it() -> None:
    (sample,) = (each.body for each in PROJECTIONS if each.project is project_node)
    _same("Node", copy.deepcopy(sample))


def test_a_stripped_node_can_allocate_the_same() -> None:
    node = {"kind": "Node", "metadata": {"name": "node-1"}, "status": {"allocatable": {"cpu": "2", "memory": "8Gi"}}}
    for spec in ({}, {"unschedulable": True}):
        kept = stripped({**node, "spec": spec})
        assert kept is not None
        assert project_allocatable(kept) == project_allocatable({**node, "spec": spec})
    assert project_allocatable(node)


def _full_of_secrets() -> list[dict[str, Any]]:
    pod = {"kind": "Pod", **body("crashed-twice")}
    pod["metadata"]["annotations"] = {"token": SECRET, "kubectl.kubernetes.io/last-applied-configuration": SECRET}
    pod["metadata"]["labels"]["password"] = SECRET
    container = pod["spec"]["containers"][0]
    container |= {"env": [{"name": "PASSWORD", "value": SECRET}], "command": [SECRET], "args": [SECRET]}
    container["readinessProbe"] = {"exec": {"command": [SECRET]}, "httpGet": {"httpHeaders": [{"value": SECRET}]}}
    state = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    state["message"] = f"connecting\npassword={SECRET}\n"
    template = {"metadata": {"annotations": {"token": SECRET}}, "spec": pod["spec"]}
    identity = {"namespace": "shop", "name": "web", "uid": "u", "creationTimestamp": "2026-01-31T12:00:00Z"}
    deployment = {"kind": "Deployment", "metadata": identity, "spec": {"template": template}}
    service = {"name": "web", "image": "web:1", "env": {"PASSWORD": SECRET}, "command": [SECRET]}
    mill = {"kind": "MillDeployment", "metadata": {**identity, "generation": 1}, "spec": {"services": [service]}}
    refused = {"type": "ReplicaFailure", "status": "True", "message": f"denied: password={SECRET}"}
    deployment["status"] = {"conditions": [refused]}
    probe = {"kind": "Event", "metadata": identity, "reason": "Unhealthy", "message": f"password={SECRET}"}
    probe["involvedObject"] = {"kind": "Pod", "uid": pod["metadata"]["uid"]}
    return [pod, deployment, mill, probe, {"kind": "ReplicaSet", **deployment, "spec": {"template": template}}]


def test_no_secret_value_is_left() -> None:
    found = [stripped(each) for each in _full_of_secrets()]
    assert None not in found
    assert SECRET not in json.dumps(found)
    assert "connecting" in json.dumps(found)


def test_other_objects_are_left_out() -> None:
    assert stripped({"kind": "Secret", "data": {"a": SECRET}}) is None
    assert stripped({"kind": "Event", "involvedObject": {"kind": "MillDeployment"}, "message": "x"}) is None
    assert stripped({}) is None


SPEC: Final = {
    "services": [
        {"name": "db", "image": "db:1", "port": 5432, "volumes": [{"name": "data", "path": "/data", "size": "1Gi"}]},
        {
            "name": "web",
            "image": "web:1",
            "port": 80,
            "replicas": 2,
            "memory": "1Gi",
            "env": {"DB": "postgres://u:${secret(db.password)}@db:5432/x", "CACHE": "${service.cache.address}"},
            "health": {"path": "/healthz", "start": "3m"},
            "update": {"settle": "5s"},
        },
        {"name": "cache", "image": "cache:1", "port": 6379, "after": ["db"]},
    ]
}


def test_a_stripped_spec_is_judged_in_the_same_way() -> None:
    metadata = {"name": "mill", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 3}
    mill = {
        "kind": "MillDeployment",
        "metadata": {**metadata, "creationTimestamp": "2026-01-31T12:00:00Z"},
        "spec": SPEC,
    }
    kept = stripped(mill)
    assert kept is not None
    MillDeploymentSpec.model_validate(kept["spec"])
    before, after = (project_mill_deployment(each) for each in (mill, kept))
    assert before.rollout_id == after.rollout_id
    was, now = (ParsedSpec(each.owner, each.spec, {}).desired().services for each in (before, after))
    for one, other in zip(was, now, strict=True):
        for field in ("name", "replicas", "probed", "request", "recreate", "settle", "refers_to", "after"):
            assert getattr(one, field) == getattr(other, field)
