"""What verdicts say of identity, limits and place: the disk of root, the pull secret, the limit, `place` and `gpu`."""

from dataclasses import replace
from typing import Any

import pytest

from mill_api.owner import Owner
from mill_api.spec import MillDeploymentSpec
from mill_objects.key import Key
from mill_operator.core.objects.rendering import source
from mill_operator.core.objects.service import DesiredService, ServiceRequest
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.jobs import project_job
from mill_operator.core.observed.pods import ObservedPod, project_pod
from mill_operator.core.verdicts.findings import Finding
from tests.support.recordings import WEB, body, changed, look, pod, said

from . import event_texts as events


def request(**more: Any) -> ServiceRequest:
    """Return the request of a service with a disk at /data."""
    volumes = [{"name": "data", "path": "/data", "size": "1Gi"}, {"name": "tmp", "path": "/tmp", "ephemeral": True}]
    spec = MillDeploymentSpec.model_validate(
        {"services": [{"name": "web", "image": "registry.example/web:1", "volumes": volumes, **more}]}
    )
    (service,) = source(Owner(Key("shop", "mill"), "u"), spec, {}).desired().services
    return service.request


def desired(**more: Any) -> DesiredService:
    return replace(WEB, request=request(**more))


def ended(message: str, code: int = 1) -> ObservedPod:
    end = Termination(code, "Error", message, None, None)
    return changed(pod("crashed-twice"), ended=end, last_ended=end, restarts=1)


def found(seen: ObservedPod, service: DesiredService = WEB, **more: Any) -> Finding:
    finding = look(seen, wanted=service, **more).finding
    assert finding is not None
    return finding


@pytest.mark.parametrize(
    "words",
    [
        "mkdir: can't create directory '/data/x': Permission denied",
        "sh: can't create /data/x: Permission denied\nstopping",
        "Error: EACCES: permission denied, open '/data/db.sqlite'\n    at open (node:fs:1)\n",
        "PermissionError: [Errno 13] Permission denied: '/data'",
        "open /data/x: permission denied",
        "java.nio.file.AccessDeniedException: /data/node.lock",
    ],
)
def test_a_disk_that_belongs_to_root_gets_the_suggestion_of_a_group(words: str) -> None:
    finding = found(ended(words), desired(user=1234))
    assert (finding.rule.id, finding.rule.code) == ("disk-permission", "ContainerExited")
    assert finding.message == "container exited with code 1"
    assert finding.suggestion.startswith("Add `group = 1234` to the service if the volume at /data belongs to root")
    assert finding.detail.startswith("last log line: ")
    assert "`group = 1000`" in found(ended(words), desired()).suggestion


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ("open /etc/app.conf: permission denied", {}),
        ("open /database/x: permission denied", {}),
        ("open /srv/data/x: permission denied", {}),
        ("open /tmp/x: permission denied", {}),
        ("open /data/x: no such file or directory\nopen /etc/x: permission denied", {}),
        ("open /data/x: permission denied", {"group": 1000}),
        ("open /data/x: permission denied", {"user": 0}),
        ("open /data/x: permission denied", {"volumes": []}),
    ],
)
def test_other_refusals_get_no_suggestion_of_a_group(words: str, more: dict[str, Any]) -> None:
    assert found(ended(words), desired(**more)).rule.id == "crash"


@pytest.mark.parametrize(
    ("words", "given", "rule"),
    [
        ("touch: /x: Read-only file system", True, "read-only-root"),
        ("Error: EROFS: read-only file system, open '/app/x'", True, "read-only-root"),
        ("OSError: [Errno 30] Read-only file system: '/app/x'", True, "read-only-root"),
        ("touch: /x: Read-only file system", False, "crash"),
        ("touch: /x: No space left on device", True, "crash"),
    ],
)
def test_a_read_only_root_is_named(words: str, given: bool, rule: str) -> None:
    finding = found(ended(words), desired(readOnlyRoot=given))
    assert (finding.rule.id, finding.rule.code) == (rule, "ContainerExited")


def test_last_words_about_a_disk_are_redacted() -> None:
    finding = found(project_pod(_crashed("open /data/x: permission denied, password=Tr0ub4dor-77")), desired())
    assert finding.rule.id == "disk-permission"
    assert "Tr0ub4dor" not in finding.detail + finding.evidence + finding.suggestion


def _crashed(log: str) -> dict[str, Any]:
    recorded = body("crashed-twice")
    recorded["spec"]["containers"][0]["image"] = WEB.request.image
    for status in recorded["status"]["containerStatuses"]:
        for state in ("state", "lastState"):
            if "terminated" in status.get(state, {}):
                status[state]["terminated"]["message"] = log
    return recorded


def test_a_limit_is_named_and_not_the_request() -> None:
    assert request().memory == "256M"
    assert request(memory="64M", limits={"memory": "128M"}).memory == "128M"
    assert request(limits={"cpu": "none"}).memory == "256M"
    finding = found(pod("oom-twice"), desired(memory="64M", limits={"memory": "128M"}))
    assert finding.message == "out of memory (limit 128M)"
    assert "`limits`" in finding.suggestion


def test_a_denied_pull_names_the_secret_of_pull() -> None:
    service = desired(pull="registry")
    finding = found(pod("denied"), service, at=60)
    assert (finding.rule.id, finding.rule.code) == ("image-denied-named", "PullDenied")
    assert finding.suggestion.startswith("Check the credentials for this registry in the Secret registry, which `pull`")
    missing = found(pod("denied"), service, at=60, answers=said(events.NO_CREDENTIALS))
    assert (missing.rule.id, missing.rule.code) == ("image-pull-secret-named", "PullSecretNotFound")
    assert missing.suggestion == "Create that Secret, or name another by `pull`."
    assert found(pod("denied"), at=60).rule.id == "image-denied"


def test_a_run_knows_the_pull_secret_of_its_task() -> None:
    spec = {"template": {"spec": {"containers": [], "imagePullSecrets": [{"name": "registry"}]}}}
    meta = {
        "name": "a",
        "namespace": "b",
        "uid": "c",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-31T12:00:00Z",
    }
    assert project_job({"metadata": meta, "spec": spec}).pull == "registry"
    assert project_job({"metadata": meta, "spec": {}}).pull == ""
    container = {"name": "web", "securityContext": {"readOnlyRootFilesystem": True}}
    job = project_job({"metadata": meta, "spec": {"template": {"spec": {"containers": [container]}}}})
    assert job.has_read_only_root


def unschedulable(message: str, **spec: Any) -> ObservedPod:
    recorded = body("unschedulable")
    for condition in recorded["status"]["conditions"]:
        if condition["type"] == "PodScheduled":
            condition["message"] = message
    recorded["spec"] |= spec
    return project_pod(recorded)


@pytest.mark.parametrize(
    ("message", "spec", "rule", "detail"),
    [
        (
            "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector.",
            {"nodeSelector": {"pool": "gpu", "kubernetes.io/arch": "arm64"}},
            "unschedulable-place",
            "2 of 3 nodes do not match `place`: kubernetes.io/arch=arm64, pool=gpu",
        ),
        (
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            {"nodeSelector": {"pool": "gpu"}},
            "unschedulable-place",
            "1 of 1 nodes does not match `place`: pool=gpu",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
            {},
            "unschedulable-placement",
            "",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.",
            {"nodeSelector": {"pool": "gpu"}},
            "unschedulable-placement",
            "",
        ),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 Insufficient nvidia.com/gpu.",
            {},
            "unschedulable-gpu",
            "2 of 3 nodes do not have enough for `gpu`",
        ),
        ("0/3 nodes are available: 3 Insufficient vendor.com/fuse.", {}, "unschedulable", ""),
    ],
)
def test_a_pod_without_a_node_names_place_and_gpu(message: str, spec: dict[str, Any], rule: str, detail: str) -> None:
    finding = found(unschedulable(message, **spec), at=200)
    assert (finding.rule.id, finding.rule.code, finding.detail) == (rule, "Unschedulable", detail)


def test_an_image_of_another_platform_gets_the_suggestion_of_a_place() -> None:
    for name in ("platform", "exec-format"):
        finding = found(pod(name), at=60)
        assert finding.suggestion.endswith('such as `place { arch = "amd64" }`.')
