"""What the gateway keeps of objects in which something is missing, `null`, or of another type."""

from collections.abc import Callable
from typing import Any

import pytest

from mill_api.gitops import gitops_owner
from mill_gateway.core.deployments import view_deployment
from mill_gateway.core.services import view_services
from mill_gateway.core.usage import read_usage
from mill_gateway.core.volumes import view_volume
from mill_gateway.objects.amounts import Amounts, requested
from mill_gateway.objects.claims import project_claim
from mill_gateway.objects.deployments import managers_of, project_deployment
from mill_gateway.objects.jobs import project_job
from mill_gateway.objects.nodes import project_node, project_node_pod
from mill_gateway.objects.pods import project_pod
from mill_objects.json import Json
from mill_objects.key import Key
from tests.fuzz import samples
from tests.fuzz.samples import changed


@pytest.mark.parametrize(
    ("path", "value", "amounts"),
    [
        ("overhead", None, Amounts(2.0, 256_000_000)),
        ("overhead.cpu", "+1", Amounts(3.0, 257_048_576)),
        ("overhead.memory", "1e", Amounts(2.01, 256_000_000)),
        ("resources", None, Amounts(0.26, 257_048_576)),
        ("resources.requests", [], Amounts(0.26, 257_048_576)),
        ("resources.requests.cpu", 3, Amounts(3.01, 257_048_576)),
        ("resources.requests.cpu", "1.2.3", Amounts(0.01, 257_048_576)),
        ("containers", None, Amounts(2.01, 257_048_576)),
        ("containers", [], Amounts(2.01, 257_048_576)),
        ("containers.0.resources.requests.memory", "+1Gi", Amounts(2.01, 1_074_790_400)),
        ("containers.0.resources.requests.memory", None, Amounts(2.01, 257_048_576)),
        ("initContainers", {}, Amounts(2.01, 257_048_576)),
    ],
)
def test_what_a_pod_takes(path: str, value: Any, amounts: Amounts) -> None:
    assert requested(changed(samples.POD_SPEC, path, value)) == amounts


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("metadata.labels", None, {"deployment": "", "run": None, "template": None}),
        ("spec", None, {"node": None, "container": "", "port": None, "amounts": Amounts(), "claims": ()}),
        ("spec.containers", [], {"container": "", "port": None, "restarts": 0}),
        ("spec.containers.0.name", None, {"container": ""}),
        ("spec.containers.0.ports", None, {"port": None}),
        ("spec.containers.0.ports.0", {}, {"port": None}),
        ("spec.volumes.0.persistentVolumeClaim.claimName", None, {"claims": ()}),
        ("status", None, {"phase": "Pending", "ready": False, "waiting": None, "image_present": False}),
        ("status.conditions", None, {"ready": False, "unschedulable": None}),
        ("status.conditions.1", {"type": "Ready"}, {"ready": False}),
        ("status.conditions.2.message", ..., {"unschedulable": ""}),
        ("status.conditions.2.message", "no\n\x1b[2J\u202enode", {"unschedulable": "no node"}),
        ("status.conditions.2.message", "x" * 5000, {"unschedulable": "x" * 2048}),
        (
            "status.containerStatuses.0.state",
            {"waiting": {"reason": "Err\x9b2J\nImage" + "x" * 500}},
            {"waiting": ("Err Image" + "x" * 500)[:253]},
        ),
        ("status.podIP", None, {"address": None}),
        ("status.containerStatuses", None, {"restarts": 0, "waiting": None}),
        ("status.containerStatuses.0.state", None, {"waiting": None, "started_at": None}),
        ("status.containerStatuses.0.state", {"running": {"startedAt": "0001-01-01T00:00:00Z"}}, {"started_at": None}),
        ("status.containerStatuses.0.state", {"terminated": {"exitCode": "3"}}, {"exit_code": 3}),
        ("status.containerStatuses.0.restartCount", None, {"restarts": 0}),
    ],
)
def test_pods(path: str, value: Any, kept: Json) -> None:
    seen = project_pod(changed(samples.POD, path, value))
    assert {name: getattr(seen, name) for name in kept} == kept


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("metadata.labels", None, {"ours": False, "service": None, "task": None}),
        ("metadata.annotations", None, {"mirror": False}),
        ("metadata.ownerReferences", None, {"owner": None}),
        ("metadata.ownerReferences.0.kind", None, {"owner": ""}),
        ("spec", None, {"node": "", "amounts": Amounts()}),
        ("status", 5, {"node": "node-1", "ours": True}),
    ],
)
def test_pods_of_nodes(path: str, value: Any, kept: Json) -> None:
    seen = project_node_pod(changed(samples.POD, path, value))
    assert {name: getattr(seen, name) for name in kept} == kept


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("spec", None, {"unschedulable": False}),
        ("spec.unschedulable", "true", {"unschedulable": False}),
        ("status", None, {"address": None, "ready": False, "amounts": Amounts(), "platform": "/"}),
        ("status.addresses", None, {"address": None}),
        ("status.addresses.0.address", None, {"address": "node-1"}),
        ("status.conditions.0.status", ..., {"ready": False}),
        ("status.allocatable.cpu", "+4", {"amounts": Amounts(4.0, 8 * 2**30)}),
        ("status.allocatable.cpu", "four", {"amounts": Amounts(0.0, 8 * 2**30)}),
        ("status.nodeInfo.architecture", None, {"platform": "linux/"}),
    ],
)
def test_nodes(path: str, value: Any, kept: Json) -> None:
    seen = project_node(changed(samples.NODE, path, value))
    assert {name: getattr(seen, name) for name in kept} == kept


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("metadata.labels", None, {"deployment": "", "task": ""}),
        ("spec", None, {"amounts": Amounts()}),
        ("spec.template", None, {"amounts": Amounts()}),
        ("status", None, {"started_at": None, "finished_at": None, "outcome": None}),
        ("status.startTime", "soon", {"started_at": None}),
        ("status.completionTime", 5, {"finished_at": samples.AT}),
        ("status.conditions", None, {"outcome": None}),
        ("status.conditions.1", {"type": "Failed"}, {"outcome": None}),
    ],
)
def test_jobs(path: str, value: Any, kept: Json) -> None:
    seen = project_job(changed(samples.JOB, path, value))
    assert {name: getattr(seen, name) for name in kept} == kept


@pytest.mark.parametrize(
    ("path", "value", "size", "count"),
    [
        ("status.capacity", None, "1Gi", 2**30),
        ("status.capacity.storage", "+2Gi", "+2Gi", 2**31),
        ("status.capacity.storage", "huge", "huge", None),
        ("status.capacity.storage", 1024, "1024", 1024),
        ("status", None, "1Gi", 2**30),
        ("spec", None, "1Gi", 2**30),
    ],
)
def test_claims(path: str, value: Any, size: str, count: int | None) -> None:
    shown = view_volume(project_claim(changed(samples.CLAIM, path, value)), ())
    assert (shown.size, shown.size_bytes) == (size, count)


@pytest.mark.parametrize(
    ("path", "value", "names"),
    [
        ("spec", None, []),
        ("spec.services", None, []),
        ("spec.services", {"web": {}}, []),
        ("spec.services.0", "web", ["api"]),
        ("spec.services.0.name", 5, ["api"]),
        ("spec.services.0.image", None, ["web", "api"]),
        ("spec.services.0.replicas", "two", ["web", "api"]),
        ("status", [], ["web", "api"]),
        ("status.services", None, ["web", "api"]),
        ("status.services.0.state", 5, ["web", "api"]),
        ("status.rollout", {"id": 5}, ["web", "api"]),
        ("metadata.labels", None, ["web", "api"]),
        ("metadata.annotations", None, ["web", "api"]),
        ("metadata.managedFields", None, ["web", "api"]),
    ],
)
def test_resources(path: str, value: Any, names: list[str]) -> None:
    seen = project_deployment(changed(samples.MILL_DEPLOYMENT, path, value))
    assert [each["name"] for each in view_services(seen, seen.services, lambda _: (), {})] == names
    assert view_deployment(seen).name == "mill"
    assert seen.has_service("api") == ("api" in names)
    assert seen.replicas("other") == 0


def test_owners_and_managers_of_odd_metadata() -> None:
    assert managers_of({"managedFields": [None, {}, {"manager": 5}, {"manager": "argocd-controller"}]}) == (
        "argocd-controller",
    )
    assert gitops_owner({"labels": [], "annotations": {"argocd.argoproj.io/tracking-id": 5}}, ()) is None


def test_usage_of_unnamed_nodes_is_left_out() -> None:
    (item,) = samples.POD_METRICS["items"]
    odd = {
        "metadata": item["metadata"] | {"name": "odd"},
        "containers": [{"usage": None}, None, {"usage": {"cpu": "x"}}],
    }
    assert read_usage({"items": [item, odd, {"metadata": None}, None, {"containers": []}]}) == {
        Key("shop", "web-1"): Amounts(0.000123, 1234 * 1024),
        Key("shop", "odd"): Amounts(),
    }
    assert read_usage({"items": None}) == {}


PROJECTIONS: list[tuple[Callable[[Json], object], Json, str]] = [
    (project_pod, samples.POD, "name namespace uid resourceVersion creationTimestamp"),
    (project_node_pod, samples.POD, "name namespace uid resourceVersion"),
    (project_node, samples.NODE, "name uid resourceVersion"),
    (project_job, samples.JOB, "name namespace uid resourceVersion creationTimestamp"),
    (project_claim, samples.CLAIM, "name namespace uid resourceVersion"),
    (project_deployment, samples.MILL_DEPLOYMENT, "name namespace uid resourceVersion generation"),
]


@pytest.mark.parametrize(("project", "body", "names"), PROJECTIONS)
def test_an_object_without_identity_is_left_out(project: Callable[[Json], object], body: Json, names: str) -> None:
    for name in names.split():
        for value in (..., None, [], ""):
            with pytest.raises(ValueError, match=f"no metadata.{name}"):
                project(changed(body, f"metadata.{name}", value))
