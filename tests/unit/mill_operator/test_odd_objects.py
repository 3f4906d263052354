"""What the operator keeps of objects in which something is missing, `null`, or of another type."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any

import pytest

from mill_objects.json import Json
from mill_operator.core.observed.children import project_child
from mill_operator.core.observed.events import LONG_AGO, _last_seen, project_events
from mill_operator.core.observed.jobs import project_job
from mill_operator.core.observed.mill_deployments import project_mill_deployment
from mill_operator.core.observed.nodes import project_node
from mill_operator.core.observed.pods import project_pod
from mill_operator.leader_election import project_lease
from tests.fuzz import samples
from tests.fuzz.samples import changed

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("metadata.labels", None, {"deployment": "", "service": "", "task": "", "template": ""}),
        ("metadata.labels", [], {"service": ""}),
        ("metadata.managedFields", None, {"status_updated_at": None}),
        ("metadata.managedFields.0.time", "soon", {"status_updated_at": None}),
        ("metadata.deletionTimestamp", None, {"terminating": False}),
        ("spec", None, {"node": None, "claims": (), "container.image": ""}),
        ("spec.nodeName", "", {"node": None}),
        ("spec.containers", None, {"container.image": "", "container.restarts": 2}),
        ("spec.containers", [], {"container.image": ""}),
        ("spec.containers.0", None, {"container.image": ""}),
        ("spec.initContainers", None, {"container.restarts": 2}),
        ("spec.volumes.0.persistentVolumeClaim", None, {"claims": ()}),
        ("spec.volumes.0.persistentVolumeClaim.claimName", ..., {"claims": ()}),
        ("status", None, {"phase": "Pending", "container.waiting_reason": "", "ready": False}),
        ("status", ..., {"phase": "Pending"}),
        ("status.phase", None, {"phase": "Pending"}),
        ("status.conditions", None, {"ready": False, "unschedulable": None, "gate": ""}),
        ("status.conditions.1.status", ..., {"ready": False, "unready_since": None}),
        ("status.conditions.1.type", None, {"gate": ""}),
        ("status.conditions.1.lastTransitionTime", None, {"unready_since": None}),
        ("status.conditions.1.lastTransitionTime", "2026-01-31T12:00:00.000000001Z", {"unready_since": NOON}),
        ("status.conditions.2.message", None, {"unschedulable": ""}),
        ("status.containerStatuses", None, {"container.waiting_reason": "", "container.restarts": 0}),
        ("status.containerStatuses.0.state", None, {"container.waiting_reason": ""}),
        (
            "status.containerStatuses.0.state.waiting",
            {},
            {"container.waiting_reason": "", "container.image_present": True},
        ),
        ("status.containerStatuses.0.restartCount", "4", {"container.restarts": 4}),
        ("status.containerStatuses.0.restartCount", None, {"container.restarts": 0}),
        ("status.containerStatuses.0.restartCount", -1, {"container.restarts": 0}),
        ("status.containerStatuses.0.ready", "True", {"container.ready": False}),
        ("status.containerStatuses.0.lastState", None, {"container.last_ended": None}),
        ("status.containerStatuses.1.name", ..., {"container.waiting_reason": "CrashLoopBackOff"}),
        ("status.initContainerStatuses", 5, {"container.waiting_reason": "CrashLoopBackOff"}),
    ],
)
def test_pods(path: str, value: Any, kept: Json) -> None:
    pod = project_pod(changed(samples.POD, path, value))
    assert {name: attrgetter(name)(pod) for name in kept} == kept
    assert pod.uid == samples.POD["metadata"]["uid"]


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("exitCode", None, 0),
        ("exitCode", "137", 137),
        ("startedAt", "0001-01-01T00:00:00Z", None),
        ("finishedAt", 5, None),
        ("message", None, ""),
        ("reason", [], ""),
    ],
)
def test_ends_of_containers(path: str, value: Any, kept: Any) -> None:
    body = changed(samples.POD, f"status.containerStatuses.0.lastState.terminated.{path}", value)
    names = {"exitCode": "exit_code", "startedAt": "started_at", "finishedAt": "finished_at"}
    assert getattr(project_pod(body).container.last_ended, names.get(path, path)) == kept


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("metadata.labels", None, {"deployment": "", "service": ""}),
        ("metadata.annotations", None, {"applied": ""}),
        ("metadata.ownerReferences", None, {"owner_uid": "", "owner": ""}),
        ("metadata.ownerReferences.0.uid", None, {"owner_uid": ""}),
        ("metadata.ownerReferences.0.controller", "yes", {"owner": ""}),
        ("metadata.generation", "3", {"revision": "3", "refusal": "in words"}),
        ("spec.replicas", None, {"replicas": None}),
        ("spec.replicas", "2", {"replicas": 2}),
        ("status", None, {"refusal": "", "phase": ""}),
        ("status.conditions", {}, {"refusal": ""}),
        ("status.conditions.0.status", ..., {"refusal": ""}),
        ("status.conditions.0.message", None, {"refusal": ""}),
        ("status.observedGeneration", 2, {"refusal": ""}),
    ],
)
def test_children(path: str, value: Any, kept: Json) -> None:
    facts = project_child("Deployment", changed(samples.CHILDREN["Deployment"], path, value))
    assert {name: getattr(facts, name) for name in kept} == kept


def test_a_child_without_a_generation_is_known_by_its_spec() -> None:
    body = changed(samples.CHILDREN["Service"], "metadata.generation", ...)
    assert project_child("Service", body).revision != project_child("Service", changed(body, "spec", None)).revision


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("metadata.labels", None, {"task": ""}),
        ("metadata.ownerReferences", None, {"owners": frozenset()}),
        ("metadata.ownerReferences.0.uid", None, {"owners": frozenset()}),
        ("spec", None, {"image": "", "memory": "", "secrets": (), "deadline": 0}),
        ("spec.template.spec.containers", [], {"image": ""}),
        ("spec.template.spec.containers", None, {"image": ""}),
        ("spec.template.spec.containers.0.resources", None, {"memory": ""}),
        ("spec.template.spec.containers.0.resources.limits.memory", 1048576, {"memory": "1048576"}),
        ("spec.template.spec.containers.0.env", None, {"secrets": ()}),
        ("spec.template.spec.containers.0.env.0.valueFrom", None, {"secrets": ()}),
        ("spec.activeDeadlineSeconds", "60", {"deadline": 60}),
        ("spec.activeDeadlineSeconds", -1, {"deadline": 0}),
        ("status", None, {"succeeded": False, "failure": None, "finished_at": None}),
        ("status.conditions.0.status", ..., {"succeeded": False}),
        ("status.conditions.1.lastTransitionTime", None, {"finished_at": None}),
    ],
)
def test_jobs(path: str, value: Any, kept: Json) -> None:
    facts = project_job(changed(samples.JOB, path, value))
    assert {name: getattr(facts, name) for name in kept} == kept


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("metadata.annotations", None, {"restarts": frozenset(), "rollout_id": "3"}),
        ("metadata.annotations", {"restart.mill.dev/": "x"}, {"restarts": frozenset()}),
        ("metadata.annotations", {"restart.mill.dev/web": "x"}, {"restarts": frozenset({("web", "x")})}),
        ("spec", {"services": None}, {"restarts": frozenset()}),
        ("spec", {"services": [None, {}, {"name": 5}]}, {"restarts": frozenset()}),
        ("metadata.annotations", {"restart.mill.dev/web": 5}, {"restarts": frozenset()}),
        ("metadata.generation", "4", {"generation": 4}),
        ("spec", None, {"spec": {}}),
        ("spec", [], {"spec": {}}),
        ("status", "text", {"status": {}}),
    ],
)
def test_resources(path: str, value: Any, kept: Json) -> None:
    seen = project_mill_deployment(changed(samples.MILL_DEPLOYMENT, path, value))
    assert {name: getattr(seen, name) for name in kept} == kept


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("spec", None, {"holder": "", "lease_seconds": 0, "transitions": 0}),
        ("spec.holderIdentity", None, {"holder": ""}),
        ("spec.leaseDurationSeconds", "15", {"lease_seconds": 15}),
        ("spec.leaseDurationSeconds", -1, {"lease_seconds": 0}),
        ("spec.leaseTransitions", None, {"transitions": 0}),
        ("spec.renewTime", 5, {"renewed": ""}),
    ],
)
def test_leases(path: str, value: Any, kept: Json) -> None:
    record = project_lease(changed(samples.LEASE, path, value)).record
    assert {name: getattr(record, name) for name in kept} == kept


def test_events_without_a_time_come_last_and_lack_nothing_else() -> None:
    assert _last_seen({}) == LONG_AGO
    seen = project_events(
        [{"reason": "Odd", "involvedObject": None, "lastTimestamp": "soon"}, samples.EVENTS["items"][0], {}]
    )
    assert [each.reason for each in seen] == ["Failed", "Odd", ""]


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("status", None, {"platform": "", "ready": "Unknown", "ready_since": None}),
        ("status.nodeInfo", None, {"platform": ""}),
        ("status.nodeInfo.architecture", 5, {"platform": ""}),
        ("status.conditions", None, {"ready": "Unknown"}),
        ("status.conditions.0.status", ..., {"ready": "Unknown"}),
        ("status.conditions.0.lastTransitionTime", None, {"ready_since": None}),
    ],
)
def test_nodes(path: str, value: Any, kept: Json) -> None:
    facts = project_node(changed(samples.NODE, path, value))
    assert {name: getattr(facts, name) for name in kept} == kept


PROJECTIONS: list[tuple[Callable[[Json], object], Json]] = [
    (project_pod, samples.POD),
    (project_job, samples.JOB),
    (project_mill_deployment, samples.MILL_DEPLOYMENT),
    (project_lease, samples.LEASE),
    *((partial(project_child, kind), body) for kind, body in samples.CHILDREN.items()),
]


@pytest.mark.parametrize("name", ["name", "namespace", "uid", "resourceVersion"])
@pytest.mark.parametrize(("project", "body"), PROJECTIONS)
def test_an_object_without_identity_is_left_out(project: Callable[[Json], object], body: Json, name: str) -> None:
    for value in (..., None, 5, ""):
        with pytest.raises(ValueError, match=f"no metadata.{name}"):
            project(changed(body, f"metadata.{name}", value))
