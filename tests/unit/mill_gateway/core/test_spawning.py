"""The Job of a requested run, and whether it has started."""

from typing import Any

import pytest

from mill_api import names
from mill_api.files import File
from mill_api.manifests import PodOptions
from mill_api.owner import Owner
from mill_api.spec import Task
from mill_api.task_status import TaskRun
from mill_gateway.core.spawning import (
    InvalidRunRequest,
    RunRequest,
    RunStart,
    explain_timeout,
    job_from_template,
    job_of_file,
    job_of_image,
    read_start,
    run_name,
)
from mill_gateway.objects.pods import project_pod as seen
from mill_objects.key import Key
from tests.support.gateway.objects import labels, pod

LABELS = labels("migrate", "task")
CRON_JOB: dict[str, Any] = {
    "metadata": {"name": "migrate", "namespace": "shop", "uid": "u-cron"},
    "spec": {
        "jobTemplate": {
            "metadata": {"labels": LABELS},
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": 3600,
                "template": {
                    "metadata": {"labels": LABELS},
                    "spec": {"containers": [{"name": "migrate", "env": [{"name": "A", "value": "1"}, {"name": "B"}]}]},
                },
            },
        }
    },
}


OWNER = Owner(Key("shop", "mill"), "u-1")


def test_a_run_of_a_task_is_its_template_and_belongs_to_it() -> None:
    made = job_from_template(CRON_JOB, "migrate-1", RunRequest())
    assert made["spec"] == CRON_JOB["spec"]["jobTemplate"]["spec"]
    assert made["metadata"] == {
        "name": "migrate-1",
        "namespace": "shop",
        "labels": LABELS,
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
        "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "CronJob", "name": "migrate", "uid": "u-cron", "controller": True}
        ],
    }


def test_a_run_of_a_task_has_the_files_of_its_template() -> None:
    mounted = {
        "containers": [
            {"name": "migrate", "volumeMounts": [{"name": "files", "mountPath": "/etc/a", "subPath": "1-a"}]}
        ],
        "volumes": [{"name": "files", "configMap": {"name": "migrate-files-d1"}}],
    }
    template = {"metadata": {"labels": LABELS | {names.LABEL_FILES: "d1"}}, "spec": mounted}
    cron_job = {**CRON_JOB, "spec": {"jobTemplate": {"metadata": {"labels": LABELS}, "spec": {"template": template}}}}
    made = job_from_template(cron_job, "migrate-1", RunRequest(env={"A": "b"}))["spec"]["template"]
    assert made["spec"]["volumes"] == mounted["volumes"]
    assert made["spec"]["containers"][0]["volumeMounts"] == mounted["containers"][0]["volumeMounts"]
    assert made["metadata"]["labels"][names.LABEL_FILES] == "d1"


def test_a_run_of_a_file_mounts_secrets_and_gets_no_text_of_its_own() -> None:
    secret = File(path="/run/secrets/token", secret="token")
    task = Task(name="migrate", image="web:1", files=[secret])
    made = job_of_file(OWNER, task, "migrate-1", RunRequest(), endpoints={}, options=PodOptions())
    pod_spec = made["spec"]["template"]["spec"]
    items = [{"key": "token", "path": "1-token"}]
    assert pod_spec["volumes"] == [{"name": "secret-files", "secret": {"secretName": "mill-secrets", "items": items}}]
    (mount,) = pod_spec["containers"][0]["volumeMounts"]
    assert (mount["mountPath"], mount["subPath"], mount["readOnly"]) == ("/run/secrets/token", "1-token", True)
    assert names.LABEL_FILES not in made["spec"]["template"]["metadata"]["labels"]
    mixed = task.model_copy(update={"files": [secret, File(path="/etc/app.conf", content="a")]})
    with pytest.raises(InvalidRunRequest, match=r"^task\.migrate\.file: a run of a file gets no files with a content"):
        job_of_file(OWNER, mixed, "migrate-1", RunRequest(), endpoints={}, options=PodOptions())


def test_values_of_the_caller_stand_as_they_are() -> None:
    made = job_from_template(CRON_JOB, "migrate-1", RunRequest(env={"B": "$(A) ${secret(x)}", "C": ""}))
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "$$(A) $${secret(x)}"},
        {"name": "C", "value": ""},
    ]
    assert CRON_JOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["env"][1] == {"name": "B"}


@pytest.mark.parametrize(("timeout", "limit"), [("90 sec", 90), ("1.5s", 2), ("0", None), (None, 3600)])
def test_a_time_out_replaces_the_templates(timeout: str | None, limit: int | None) -> None:
    made = job_from_template(CRON_JOB, "migrate-1", RunRequest(timeout=timeout))
    assert made["spec"].get("activeDeadlineSeconds") == limit


def test_a_run_of_any_image_belongs_to_the_deployment() -> None:
    wanted = RunRequest(image="busybox:1", cpu=2, memory="1G", env={"A": "1"}, command=("sh", "-c", "echo $HOME"))
    made = job_of_image(
        Owner(Key("shop", "mill"), "u-1"),
        "task-1",
        "task-1-2",
        wanted,
        options=PodOptions(service_account="runner", restricted=True),
    )
    meta, spec = made["metadata"], made["spec"]
    common = {"app.kubernetes.io/managed-by": "mill", "mill.dev/deployment": "mill", "mill.dev/task": "task-1"}
    assert meta["labels"] == labels("task-1", "task") | {"app.kubernetes.io/part-of": "mill"}
    assert meta["ownerReferences"][0] | {"controller": True} == {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "name": "mill",
        "uid": "u-1",
        "controller": True,
    }
    assert (spec["backoffLimit"], "activeDeadlineSeconds" in spec) == (0, False)
    assert spec["template"]["metadata"]["labels"] == common
    pod_spec = spec["template"]["spec"]
    assert (pod_spec["serviceAccountName"], pod_spec["restartPolicy"]) == ("runner", "Never")
    (container,) = pod_spec["containers"]
    assert container["name"] == "task-1"
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "1G"}
    assert container["command"] == ["sh", "-c", "echo $$HOME"]
    assert container["securityContext"]["runAsNonRoot"] is True


def test_all_problems_of_a_run_are_reported_at_once() -> None:
    wanted = RunRequest(image="a b", cpu=0, memory="lots", env={"1=": "x"}, timeout="soon")
    with pytest.raises(InvalidRunRequest) as refused:
        _inline(wanted)
    assert str(refused.value).splitlines() == [
        "timeout: invalid duration 'soon': expected number at 0",
        "cpu must be greater than 0",
        (
            "memory: invalid byte size 'lots': couldn't parse \"lots\" into a ByteSize, "
            "cannot parse float from empty string"
        ),
        "env: '1=' is not a name",
        r"image: string should match pattern '^\S+$'",
    ]


def _inline(wanted: RunRequest) -> dict[str, Any]:
    return job_of_image(Owner(Key("shop", "mill"), "u-1"), "task-1", "task-1-2", wanted, options=PodOptions())


@pytest.mark.parametrize(
    "wanted",
    [
        *(RunRequest(image="busybox", cpu=cpu) for cpu in (float("nan"), float("inf"), -1.0, 1e300)),
        RunRequest(image="busybox", memory=""),
        RunRequest(image=""),
    ],
)
def test_invalid_runs_are_refused(wanted: RunRequest) -> None:
    with pytest.raises(InvalidRunRequest):
        _inline(wanted)


def test_amounts_are_the_tasks_own_whatever_a_client_sends_along() -> None:
    assert (
        job_from_template(CRON_JOB, "migrate-1", RunRequest(cpu=0, memory=""))["spec"]
        == (CRON_JOB["spec"]["jobTemplate"]["spec"])
    )


def test_a_run_is_named_so_that_its_pod_can_be() -> None:
    assert run_name("t" * 52, "1a2b3c4d") == "t" * 52 + "-1a2b3c4d"


def _told(state: str, **more: Any) -> TaskRun:
    return TaskRun.model_validate({"name": "r", "state": state, "createdAt": "2026-02-14T10:00:00Z", **more})


def _pod(**how: Any) -> Any:
    return seen(pod("migrate", kind="task", ready=False, **how))


AT = "2026-02-14T10:00:00Z"
NEVER = {
    "state": {"terminated": {"exitCode": 128, "reason": "StartError", "startedAt": "1970-01-01T00:00:00Z"}},
    "phase": "Failed",
}
PULLING = {"state": {"waiting": {"reason": "ContainerCreating"}}, "phase": "Pending"}


@pytest.mark.parametrize(
    ("pods", "told", "expected"),
    [
        ([], None, RunStart()),
        ([_pod(node=None, phase="Pending", state={"waiting": {}})], None, RunStart()),
        ([_pod(**PULLING)], _told("Pending"), RunStart("node-1", "starting")),
        ([_pod()], None, RunStart("node-1", "running")),
        ([_pod(**PULLING)], _told("Running", node="node-1"), RunStart("node-1", "running")),
        ([], _told("Succeeded", node="node-1"), RunStart("node-1", "running")),
        # A program that has failed has run, which is what was asked for.
        ([], _told("Failed", node="node-1", startedAt=AT, exitCode=3, message="x"), RunStart("node-1", "running")),
        ([], _told("Failed", node="node-1", startedAt=AT, message="its pod is gone"), RunStart("node-1", "running")),
        ([_pod(state={"terminated": {"exitCode": 3, "startedAt": AT}})], None, RunStart("node-1", "running")),
        # One that the runtime could not start has an exit code as well, of the runtime's making.
        ([_pod(**NEVER)], None, RunStart("node-1", "starting")),
        (
            [_pod(**NEVER)],
            _told("Failed", node="node-1", exitCode=128, reason="CommandNotFound", message="command not found"),
            RunStart("node-1", failure="command not found", reason="CommandNotFound"),
        ),
        (
            [_pod(**PULLING)],
            _told("Failed", reason="TagNotFound", message="image pull failed: tag not found"),
            RunStart("node-1", failure="image pull failed: tag not found", reason="TagNotFound"),
        ),
        ([], _told("Stopped"), RunStart(failure="the run was stopped before it had started")),
    ],
)
def test_whether_a_run_has_started(pods: list[Any], told: TaskRun | None, expected: RunStart) -> None:
    assert read_start(pods, told) == expected
    assert expected.settled is (expected.status == "running" or expected.failure is not None)


@pytest.mark.parametrize(
    ("pods", "failure"),
    [
        ([], None),
        ([_pod(**PULLING)], None),
        (
            [_pod(phase="Pending", state={"waiting": {"reason": "ImagePullBackOff"}})],
            "the run has not started: ImagePullBackOff",
        ),
        ([_pod(**NEVER)], "the run has not started: its program could not be started"),
    ],
)
def test_the_gateways_verdict_on_a_run_without_a_status(pods: list[Any], failure: str | None) -> None:
    assert explain_timeout(RunStart("node-1", "pulling"), pods).failure == failure
