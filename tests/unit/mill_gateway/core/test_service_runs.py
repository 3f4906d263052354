"""The Job of a run of another program in the place of a service."""

from typing import Any

import pytest

from mill_api import names
from mill_api.endpoints import endpoint_of
from mill_api.manifests import PodOptions
from mill_api.owner import Owner
from mill_api.pod_permissions import PodPermissions
from mill_api.spec import Service
from mill_gateway.core.service_runs import job_of_service, task_of_service
from mill_gateway.core.spawning import InvalidRunRequest, RunRequest
from mill_objects.key import Key

OWNER = Owner(Key("shop", "mill"), "u-1")
DB = Service(name="db", image="postgres:18", port=5432)
WEB: dict[str, Any] = {
    "name": "web",
    "image": "web:2",
    "port": 8080,
    "replicas": 1,
    "cpu": "500m",
    "command": ["/entry"],
    "args": ["serve"],
    "after": ["db"],
    "health": {"path": "/healthz"},
    "env": {"DB": "${service.db.address}", "KEY": "${secret(key)}"},
    "user": 1000,
    "labels": {"app": "web"},
    "annotations": {"example.com/vault": "true"},
    "place": {"labels": {"disk": "ssd"}},
    "stop": "30s",
    "files": [{"path": "/etc/web.conf", "content": "a = 1"}],
    "volumes": [
        {"name": "data", "path": "/data", "size": "1Gi"},
        {"name": "cache", "path": "/cache", "ephemeral": True},
    ],
}
OPTIONS = PodOptions(permissions=PodPermissions(labels=("app",), annotations=("example.com/vault",)))


def make(
    request: RunRequest | None = None, *, beside: bool = False, options: PodOptions = OPTIONS, **more: Any
) -> dict[str, Any]:
    service = Service(**WEB | more)
    return job_of_service(
        OWNER,
        service,
        "web-run-1",
        request or RunRequest(command=("rake", "db:seed")),
        endpoints={"db": endpoint_of(DB), "web": endpoint_of(service)},
        options=options,
        beside_replicas=beside,
    )


def test_a_run_has_what_its_service_has_and_runs_another_program() -> None:
    made = make()
    template = made["spec"]["template"]
    spec, (container,) = template["spec"], template["spec"]["containers"]
    assert (container["name"], container["image"]) == ("web-run", "web:2")
    assert container["command"] == ["rake", "db:seed"]
    assert container["resources"]["requests"] == {"cpu": "500m", "memory": "256M"}
    assert container["securityContext"]["runAsUser"] == 1000
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert env == {"DB": "db.shop.svc:5432", "KEY": None, "PORT": "8080"}
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert spec["terminationGracePeriodSeconds"] == 30
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    assert mounts == {"/data": "data", "/cache": "cache", "/etc/web.conf": "files"}
    volumes = {each["name"]: each for each in spec["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"] == {"claimName": "data"}
    assert volumes["cache"]["emptyDir"] == {}
    assert volumes["files"]["configMap"]["name"].startswith("web-files-")
    assert not {"args", "ports", "readinessProbe", "startupProbe", "livenessProbe", "lifecycle"} & container.keys()
    assert made["spec"]["backoffLimit"] == 0
    assert "activeDeadlineSeconds" not in made["spec"]


def test_the_config_map_of_a_run_is_kept() -> None:
    made = make()
    name = next(
        each["configMap"]["name"] for each in made["spec"]["template"]["spec"]["volumes"] if "configMap" in each
    )
    assert name == f"web-files-{made['metadata']['labels'][names.LABEL_FILES]}"
    assert names.LABEL_FILES not in make(files=[])["metadata"]["labels"]


def test_no_service_selects_the_pod_of_a_run() -> None:
    made = make()
    (files,) = [value for name, value in _labels(made).items() if name == names.LABEL_FILES]
    assert _labels(made) == {
        names.LABEL_MANAGED_BY: "mill",
        names.LABEL_DEPLOYMENT: "mill",
        names.LABEL_TASK: "web-run",
        names.LABEL_FILES: files,
    }
    assert not OWNER.selector("web").items() <= _labels(made).items()
    assert made["spec"]["template"]["metadata"]["annotations"] == {"example.com/vault": "true"}
    assert made["metadata"]["ownerReferences"] == [OWNER.reference(controller=True)]


def _labels(job: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = job["spec"]["template"]["metadata"]["labels"]
    return labels


def test_what_callers_write_stands_as_it_is() -> None:
    request = RunRequest(
        command=("sh", "-c", "echo ${secret(key)} $HOME"), env={"KEY": "$(DB)", "NEW": "1", "PORT": "9"}, timeout="90s"
    )
    made = make(request)
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c", "echo $${secret(key)} $$HOME"]
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert env == {"DB": "db.shop.svc:5432", "KEY": "$$(DB)", "NEW": "1", "PORT": "9"}
    assert made["spec"]["activeDeadlineSeconds"] == 90


def test_a_persistent_volume_is_mounted_on_the_node_of_the_service() -> None:
    assert "affinity" not in make()["spec"]["template"]["spec"]
    (term,) = make(beside=True)["spec"]["template"]["spec"]["affinity"]["podAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"] == OWNER.selector("web")


@pytest.mark.parametrize(
    ("request_", "more", "options", "error"),
    [
        (RunRequest(), {}, OPTIONS, "command: a run of a service needs a command"),
        (RunRequest(command=()), {}, OPTIONS, "command: a run of a service needs a command"),
        (RunRequest(command=("a",), timeout="soon"), {}, OPTIONS, "timeout: invalid duration 'soon'"),
        (RunRequest(command=("a",), env={"A=B": ""}), {}, OPTIONS, "env: 'A=B' is not a name"),
        (RunRequest(command=("a",)), {"user": 0}, PodOptions(restricted=True), "user: user 0 is root"),
    ],
)
def test_what_cannot_run_is_refused(
    request_: RunRequest, more: dict[str, Any], options: PodOptions, error: str
) -> None:
    with pytest.raises(InvalidRunRequest) as raised:
        make(request_, options=options, **more)
    assert str(raised.value).startswith(error)


@pytest.mark.parametrize(
    ("service", "task"),
    [("web", "web-run"), ("a" * 63, "a" * 48 + "-run"), ("a" * 47 + "-" + "b" * 9, "a" * 47 + "-run")],
)
def test_runs_have_a_name_that_a_task_can_have(service: str, task: str) -> None:
    assert task_of_service(service) == task
