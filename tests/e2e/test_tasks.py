"""Runs of tasks: spawned as people do it, told of with their causes, and no rollout's business."""

import json
from typing import Any

from tests.e2e.seed import NODE

from .conftest import Namespace, wait_for

WEB = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
}
"""
TASKS = """
task "good" {
  image   = "REGISTRY/web:1"
  cpu     = 0.05
  command = ["/web", "--exit-after", "100ms", "--exit-code", "0"]
}

task "bad" {
  image   = "REGISTRY/web:1"
  cpu     = 0.05
  command = ["/web", "--exit-after", "100ms", "--exit-code", "3"]
}

task "slow" {
  image   = "REGISTRY/web:1"
  cpu     = 0.05
  timeout = "3s"
  command = ["/web", "--no-listen"]
}

task "missing" {
  image = "REGISTRY/web:missing"
  cpu   = 0.05
}

task "secretive" {
  image = "REGISTRY/web:1"
  cpu   = 0.05
  env   = { URL = "${secret(db.url)}" }
}

task "mistyped" {
  image   = "REGISTRY/web:1"
  cpu     = 0.05
  command = ["/wbe"]
}

task "large" {
  image = "REGISTRY/web:1"
  cpu   = 500
}
"""
LONG = """
task "long" {
  image   = "REGISTRY/web:1"
  cpu     = 0.05
  command = ["/web", "--no-listen"]
}
"""


def spawn(namespace: Namespace, task: str, name: str | None = None) -> None:
    namespace.kubectl("create", "job", name or f"{task}-1", f"--from=cronjob/{task}")


def runs(namespace: Namespace) -> dict[str, dict[str, Any]]:
    """The runs that the status tells of, by the name of their Jobs."""
    return {run["name"]: run for task in namespace.status().get("tasks", ()) for run in task.get("runs", ())}


def events_of_runs(namespace: Namespace) -> list[dict[str, Any]]:
    items = namespace.items("events", "--field-selector", "involvedObject.kind=MillDeployment")
    return [each for each in items if each["action"] == "Run"]


def in_state(namespace: Namespace, state: str, name: str) -> dict[str, Any]:
    run: dict[str, Any] = wait_for(
        f"{name} to be {state}",
        lambda: (run := runs(namespace).get(name, {})).get("state") == state and run,
    )
    return run


def test_every_end_of_a_run_is_told_with_its_cause(namespace: Namespace) -> None:
    assert namespace.deploy(WEB + TASKS).code == 0
    namespace.recorded_rollout()
    before = namespace.status()
    for task in ("good", "bad", "slow", "missing", "secretive", "mistyped", "large"):
        spawn(namespace, task)
    good = in_state(namespace, "Succeeded", "good-1")
    assert (good["exitCode"], good["node"]) == (0, NODE)
    assert good["createdAt"] <= good["startedAt"] <= good["finishedAt"]
    failures = {
        name: (run["reason"], run["message"], run.get("exitCode"), "finishedAt" in run)
        for name in ("bad-1", "slow-1", "missing-1", "secretive-1", "mistyped-1")
        if (run := in_state(namespace, "Failed", name))
    }
    assert failures == {
        "bad-1": ("ContainerExited", "container exited with code 3", 3, True),
        "slow-1": ("DeadlineExceeded", "timed out after 3s", failures["slow-1"][2], failures["slow-1"][3]),
        "missing-1": ("TagNotFound", "image pull failed: tag not found", None, False),
        "secretive-1": ("SecretNotFound", 'secret "db.url" not found', None, False),
        "mistyped-1": ("CommandNotFound", "container start failed: command not found", 128, True),
    }
    waiting = runs(namespace)["large-1"]
    assert (waiting["state"], waiting["reason"]) == ("Pending", "Unschedulable")
    assert waiting["message"] == "no nodes available: insufficient cpu"

    # None of it is the rollout's business, nor a service's.
    after = namespace.status()
    assert {each: after[each] for each in ("conditions", "rollout", "services")} == {
        each: before[each] for each in ("conditions", "rollout", "services")
    }
    pods = namespace.items("pods", "-l", "mill.dev/task")
    # The Job controller deletes the pod of a run whose time is over.
    assert {pod["metadata"]["labels"]["mill.dev/task"] for pod in pods} >= {
        "good",
        "bad",
        "missing",
        "mistyped",
        "large",
    }
    assert not [pod for pod in pods if "mill.dev/service" in pod["metadata"]["labels"]]

    # The last was told a moment ago.
    events = wait_for("an event for each", lambda: len(found := events_of_runs(namespace)) == 6 and found)
    assert {(each["type"], each["reason"], each["message"]) for each in events} == {
        ("Normal", "TaskSucceeded", "run good-1 of task good has succeeded"),
        *(
            ("Warning", reason, f"run {name} of task {name[:-2]} has failed: {message}")
            for name, (reason, message, *_) in failures.items()
        ),
    }
    assert [each["count"] for each in events] == [1] * 6


def test_a_job_is_as_its_template_wants_it_and_cleaned_when_its_time_is_over(namespace: Namespace) -> None:
    assert namespace.deploy(TASKS).code == 0
    spawn(namespace, "slow")
    job = namespace.get("job", "slow-1")
    assert [(each["kind"], each["name"]) for each in job["metadata"]["ownerReferences"]] == [("CronJob", "slow")]
    assert job["metadata"]["labels"]["mill.dev/task"] == "slow"
    keys = ("backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished")
    assert [job["spec"][key] for key in keys] == [0, 3, 24 * 3600]
    in_state(namespace, "Failed", "slow-1")
    namespace.kubectl("patch", "job", "slow-1", "--type=merge", "-p", '{"spec": {"ttlSecondsAfterFinished": 1}}')
    wait_for("the end of its time", lambda: "slow-1" not in runs(namespace))
    assert namespace.items("jobs,pods") == []


def test_a_run_that_fails_for_lack_of_an_image_heals_when_it_is_there(namespace: Namespace) -> None:
    from hack import images

    late = f"late-{namespace.name}"
    assert namespace.deploy(TASKS[: TASKS.index('task "bad"')].replace("web:1", f"web:{late}")).code == 0
    spawn(namespace, "good")
    assert in_state(namespace, "Failed", "good-1")["reason"] == "TagNotFound"
    images.push_sample(namespace.registry, late)
    healed = in_state(namespace, "Succeeded", "good-1")
    assert "reason" not in healed


def test_a_run_whose_job_is_deleted_was_stopped(namespace: Namespace) -> None:
    assert namespace.deploy(LONG).code == 0
    spawn(namespace, "long")
    in_state(namespace, "Running", "long-1")
    assert namespace.status()["activeRuns"] == 1
    namespace.kubectl("delete", "job", "long-1", "--wait=false")
    stopped = in_state(namespace, "Stopped", "long-1")
    assert "finishedAt" in stopped
    for pod in namespace.items("pods", "-l", "mill.dev/task=long"):  # it may be there a moment longer than its program
        assert all("terminated" in each["state"] for each in pod["status"]["containerStatuses"])
    assert namespace.status()["activeRuns"] == 0


def test_what_runs_outlives_its_task_but_not_its_deployment(namespace: Namespace) -> None:
    assert namespace.deploy(WEB + TASKS + LONG).code == 0
    spawn(namespace, "good")
    spawn(namespace, "long")
    namespace.kubectl("wait", "job/good-1", "--for=condition=Complete", "--timeout=60s")
    in_state(namespace, "Running", "long-1")
    (pod,) = namespace.items("pods", "-l", "mill.dev/task=long")
    assert namespace.deploy(WEB).code == 0
    wait_for("the tasks' end", lambda: namespace.items("cronjobs") == [])
    for run in ("good-1", "long-1"):
        wait_for(
            "the garbage collector",
            lambda run=run: (
                [each["kind"] for each in namespace.get("job", run)["metadata"]["ownerReferences"]]
                == ["MillDeployment"]
            ),
        )
    assert {name: each["state"] for name, each in runs(namespace).items()} == {
        "good-1": "Succeeded",
        "long-1": "Running",
    }
    (same,) = namespace.items("pods", "-l", "mill.dev/task=long")
    assert same["metadata"]["uid"] == pod["metadata"]["uid"]
    assert "deletionTimestamp" not in same["metadata"]

    namespace.kubectl("delete", "milldeployment", "mill", "--timeout=60s")
    wait_for("the end of everything", lambda: namespace.items("jobs,pods") == [])


def test_a_task_whose_name_is_taken_says_whose_it_is(namespace: Namespace) -> None:
    namespace.kubectl("create", "cronjob", "long", f"--image={namespace.registry}/web:1", "--schedule=0 0 31 2 *")
    before = namespace.get("cronjob", "long")["spec"]
    namespace.deploy(LONG)
    (task,) = wait_for("the task in the status", lambda: namespace.status().get("tasks"))
    assert (task["name"], task["reason"]) == ("long", "NameTaken")
    assert task["message"].startswith('CronJob "long" belongs to kubectl')
    assert namespace.get("cronjob", "long")["spec"] == before
    spec = json.dumps(before)
    assert "mill.dev" not in spec


def test_a_run_that_a_quota_forbids_says_so(namespace: Namespace) -> None:
    assert namespace.deploy(LONG).code == 0
    namespace.kubectl("create", "quota", "none", "--hard=pods=0")
    spawn(namespace, "long")
    waiting = wait_for("the cause", lambda: (run := runs(namespace).get("long-1", {})).get("reason") and run)
    assert (waiting["state"], waiting["reason"]) == ("Pending", "QuotaExceeded")
    assert waiting["message"] == "quota exceeded: none, requested: pods=1, used: pods=0, limited: pods=0"
