"""Identity, limits and place of pods: what services and tasks become, and what a cluster permits."""

from typing import Any, Final

import pytest
import yaml

from mill_api.manifests import PodOptions
from mill_api.owner import Owner
from mill_api.place_rules import is_key, permitted, place_problems
from mill_api.pod_permissions import NOTHING, PodPermissions, permitted_keys
from mill_api.spec import MillDeploymentSpec, Service, Task
from mill_api.validation import problems, unpermitted
from mill_gateway.core.spawning import InvalidRunRequest, RunRequest, job_of_file
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.core.objects.pods import DEFAULTS, RenderOptions
from mill_operator.core.objects.rendering import source

OWNER: Final = Owner(Key("shop", "production"), "0123-uid")
ALL: Final = PodPermissions(tolerations=("gpu", "spot"), labels=("example.com/", "team"), annotations=("example.com/",))
PLAIN: Final = {"allowPrivilegeEscalation": False}
SECCOMP: Final = {"seccompProfile": {"type": "RuntimeDefault"}}


def template(kind: str = "service", options: RenderOptions = DEFAULTS, **more: Any) -> Json:
    """Return the pod template of a service or a task."""
    program = {"name": "web", "image": "web:2", **more}
    spec = MillDeploymentSpec.model_validate({f"{kind}s": [program]})
    origin = source(OWNER, spec, {"web": "again"}, options)
    (child, *_) = origin.desired().children
    body = origin.render(child).body["spec"]
    return dict(body["template"] if kind == "service" else body["jobTemplate"]["spec"]["template"])


def with_everything(permissions: PodPermissions) -> RenderOptions:
    return RenderOptions(permissions=permissions)


@pytest.mark.parametrize("kind", ["service", "task"])
@pytest.mark.parametrize(
    ("given", "container", "pod"),
    [
        ({}, PLAIN, SECCOMP),
        ({"user": 1000}, {**PLAIN, "runAsUser": 1000, "runAsNonRoot": True}, SECCOMP),
        ({"user": 0}, {**PLAIN, "runAsUser": 0}, SECCOMP),
        (
            {"group": 2000},
            {**PLAIN, "runAsGroup": 2000},
            {**SECCOMP, "fsGroup": 2000, "fsGroupChangePolicy": "OnRootMismatch"},
        ),
        (
            {"user": 1000, "group": 0},
            {**PLAIN, "runAsUser": 1000, "runAsNonRoot": True, "runAsGroup": 0},
            {**SECCOMP, "fsGroup": 0, "fsGroupChangePolicy": "OnRootMismatch"},
        ),
        ({"readOnlyRoot": True}, {**PLAIN, "readOnlyRootFilesystem": True}, SECCOMP),
    ],
)
def test_identity(kind: str, given: dict[str, Any], container: Json, pod: Json) -> None:
    spec = template(kind, **given)["spec"]
    assert spec["containers"][0]["securityContext"] == container
    assert spec["securityContext"] == pod


def test_restricted_stays_restricted_whatever_a_file_says() -> None:
    context = template(options=RenderOptions(restricted=True), user=0)["spec"]["containers"][0]["securityContext"]
    assert context == {**PLAIN, "runAsUser": 0, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}


@pytest.mark.parametrize("kind", ["service", "task"])
@pytest.mark.parametrize(
    ("given", "requests", "limits"),
    [
        ({}, {"cpu": "250m", "memory": "256M"}, {"cpu": "250m", "memory": "256M"}),
        ({"limits": {"memory": "1G"}}, {"cpu": "250m", "memory": "256M"}, {"cpu": "250m", "memory": "1G"}),
        ({"limits": {"cpu": "none"}}, {"cpu": "250m", "memory": "256M"}, {"memory": "256M"}),
        (
            {"cpu": "100m", "limits": {"cpu": 2, "memory": "512Mi"}},
            {"cpu": "100m", "memory": "256M"},
            {"cpu": "2", "memory": "512Mi"},
        ),
        (
            {"gpu": {"amd.com/gpu": 2}},
            {"cpu": "250m", "memory": "256M", "amd.com/gpu": "2"},
            {"cpu": "250m", "memory": "256M", "amd.com/gpu": "2"},
        ),
    ],
)
def test_requests_and_limits(kind: str, given: dict[str, Any], requests: Json, limits: Json) -> None:
    assert template(kind, **given)["spec"]["containers"][0]["resources"] == {"requests": requests, "limits": limits}


@pytest.mark.parametrize("kind", ["service", "task"])
def test_place_and_pull(kind: str) -> None:
    place = {"arch": "arm64", "labels": {"pool": "gpu"}, "tolerate": ["gpu", "gpu"]}
    spec = template(kind, with_everything(ALL), place=place, pull="registry")["spec"]
    assert spec["nodeSelector"] == {"pool": "gpu", "kubernetes.io/arch": "arm64"}
    assert spec["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]


@pytest.mark.parametrize("kind", ["service", "task"])
def test_only_permitted_labels_annotations_and_tolerations_reach_a_pod(kind: str) -> None:
    """A spec that was accepted once may have more: the setting has changed since, or kubectl has written it."""
    labels = {"example.com/team": "shop", "team": "shop", "app": "db", "mill.dev/service": "db"}
    annotations = {"example.com/a": "1", "seccomp.security.alpha.kubernetes.io/pod": "unconfined"}
    given: dict[str, Any] = {
        "labels": labels,
        "annotations": annotations,
        "place": {"tolerate": ["spot", "node-role.kubernetes.io/control-plane"]},
    }
    plain = template(kind)["metadata"]
    made = template(kind, with_everything(ALL), **given)
    meta = made["metadata"]
    without_hash = {key: value for key, value in meta["labels"].items() if key != "mill.dev/template"}
    assert without_hash == {
        "example.com/team": "shop",
        "team": "shop",
        **{key: value for key, value in plain["labels"].items() if key != "mill.dev/template"},
    }
    assert meta["annotations"] == {"example.com/a": "1", **plain.get("annotations", {})}
    assert made["spec"]["tolerations"] == [{"key": "spot", "operator": "Exists"}]
    assert template(kind, **given)["metadata"]["labels"].keys() == plain["labels"].keys()
    assert "tolerations" not in template(kind, **given)["spec"]


def test_mills_own_labels_win_even_if_a_setting_permits_their_domain() -> None:
    permissions = PodPermissions(labels=("app.kubernetes.io/", "mill.dev/"))
    labels = {"app.kubernetes.io/managed-by": "x", "mill.dev/deployment": "x", "app.kubernetes.io/version": "2"}
    found = template(options=with_everything(permissions), labels=labels)["metadata"]["labels"]
    assert (found["app.kubernetes.io/managed-by"], found["mill.dev/deployment"]) == ("mill", "production")
    assert found["app.kubernetes.io/version"] == "2"


def test_labels_change_the_template_and_no_selector() -> None:
    def deployment(**more: Any) -> Json:
        spec = MillDeploymentSpec.model_validate({"services": [{"name": "web", "image": "web:2", "port": 80, **more}]})
        origin = source(OWNER, spec, {}, with_everything(ALL))
        return {child.kind: origin.render(child).body["spec"] for child in origin.desired().children}

    plain, labeled = deployment(), deployment(labels={"team": "shop"})
    assert labeled["Deployment"]["selector"] == plain["Deployment"]["selector"]
    assert labeled["Service"] == plain["Service"]
    hashes = {each["Deployment"]["template"]["metadata"]["labels"]["mill.dev/template"] for each in (plain, labeled)}
    assert len(hashes) == 2


REFUSED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "root": ({"user": 0}, "service.web.user: user 0 is root, which the setting MILL_RESTRICTED"),
    "toleration": (
        {"place": {"tolerate": ["spot", "other"]}},
        (
            "service.web.place.tolerate.1: toleration of 'other' is not permitted in this cluster (its setting"
            " MILL_TOLERATIONS permits gpu, spot)"
        ),
    ),
    "label": (
        {"labels": {"example.com/team": "a", "app": "db"}},
        (
            "service.web.labels.app: label 'app' is not permitted in this cluster (its setting MILL_POD_LABELS permits"
            " example.com/, team)"
        ),
    ),
    "annotation": (
        {"annotations": {"prometheus.io/scrape": "true"}},
        "service.web.annotations.prometheus.io/scrape: annotation 'prometheus.io/scrape' is not permitted",
    ),
}


@pytest.mark.parametrize(("given", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_a_cluster_does_not_permit_is_refused_by_name(given: dict[str, Any], problem: str) -> None:
    spec = MillDeploymentSpec(services=[Service(name="web", image="web:1", **given)])
    (found,) = unpermitted(spec, ALL, restricted=True)
    assert str(found).startswith(problem)
    assert not problems(spec)


def test_by_default_nothing_is_permitted_and_root_is() -> None:
    given = {"user": 0, "place": {"tolerate": ["gpu"]}, "labels": {"a": "b"}, "annotations": {"a": "b"}}
    spec = MillDeploymentSpec(tasks=[Task(name="job", image="web:1", **given)])
    found = unpermitted(spec, NOTHING, restricted=False)
    assert [each.path for each in found] == ["task.job.place.tolerate.0", "task.job.labels.a", "task.job.annotations.a"]
    assert all("permits none" in each.message for each in found)


def test_a_run_of_a_files_task_is_refused_as_its_deploy_would_be() -> None:
    task = Task(name="job", image="web:1", user=0, labels={"app": "db"}, group=5, gpu={"nvidia.com/gpu": 1})
    with pytest.raises(InvalidRunRequest) as refused:
        job_of_file(OWNER, task, "job-1", RunRequest(), endpoints={}, options=PodOptions(restricted=True))
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == ["user", "labels.app"]
    options = PodOptions(permissions=PodPermissions(labels=("app",)))
    made = job_of_file(OWNER, task, "job-1", RunRequest(), endpoints={}, options=options)["spec"]["template"]
    assert made["metadata"]["labels"]["app"] == "db"
    assert made["spec"]["securityContext"]["fsGroup"] == 5
    assert made["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"


@pytest.mark.parametrize(
    ("key", "valid"),
    [
        ("team", True),
        ("example.com/team", True),
        ("a.b-c.example/Team_1.x", True),
        ("x" * 63, True),
        ("x" * 64, False),
        (f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 61}/x", True),
        (f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 62}/x", False),
        ("", False),
        ("/x", False),
        ("x/", False),
        ("a/b/c", False),
        ("Example.com/x", False),
        ("-x", False),
        ("x\n", False),
        ("gpu:NoSchedule", False),
    ],
)
def test_keys(key: str, valid: bool) -> None:
    assert is_key(key) is valid


@pytest.mark.parametrize(
    ("key", "granted", "expected"),
    [
        ("example.com/team", ["example.com/"], True),
        ("example.com/team", ["example.com/team"], True),
        ("example.com/team", ["example.com"], False),
        ("example.company/team", ["example.com/"], False),
        ("team", ["team"], True),
        ("teams", ["team"], False),
        ("team", [], False),
    ],
)
def test_a_setting_permits_keys_and_domains(key: str, granted: list[str], expected: bool) -> None:
    assert permitted(key, granted) is expected


def test_a_setting_of_keys_is_checked() -> None:
    assert permitted_keys(" example.com/, team ,") == ("example.com/", "team")
    for wrong in ("mill.dev/", "restart.mill.dev/x", "app.kubernetes.io/managed-by", "a b", "a/b/c", "/"):
        with pytest.raises(ValueError, match="'"):
            permitted_keys(wrong)


def test_a_spec_that_no_parser_has_read_is_checked_too() -> None:
    text = """
    name: web
    image: web:1
    cpu: 1
    user: -1
    group: 2147483648
    gpu: {vendor.com/fuse: 1, amd.com/gpu: 0, nvidia.com/gpu: 1, gpu.intel.com/xe: 1, gpu.intel.com/i915: 1}
    limits: {cpu: 900m, memory: 1}
    place: {labels: {a: "-"}}
    """
    found = list(place_problems(Service(**yaml.safe_load(text))))
    assert [each.path for each in found] == [
        "user",
        "group",
        "limits.cpu",
        "limits.memory",
        "gpu.vendor.com/fuse",
        "gpu.amd.com/gpu",
        "gpu",
        "place.labels.a",
    ]
    assert found[2].others == ("cpu",)
    assert found[3].others == ()
    assert not list(place_problems(Service(name="web", image="web:1", limits={"memory": "256000k"})))
