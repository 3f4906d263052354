"""Tasks on a schedule, on the real cluster: they run, wait, are missed, and are refused where they are wrong.

What has to wait for whole minutes does so once, in one test.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import MILL, Namespace, wait_for

TASKS = """
task "tick" {
  image    = "REGISTRY/web:1"
  cpu      = 0.02
  command  = ["/web", "-no-listen", "-exit-after", "100ms", "-exit-code", "0"]
  schedule = "* * * * *"
}

task "slow" {
  image    = "REGISTRY/web:1"
  cpu      = 0.02
  command  = ["/web", "-no-listen"]
  schedule = "* * * * *"
}

task "late" {
  image    = "REGISTRY/web:1"
  cpu      = 0.02
  command  = ["/web", "-no-listen"]
  schedule = "* * * * *"
  deadline = "10s"
}

task "held" {
  image    = "REGISTRY/web:1"
  cpu      = 0.02
  schedule = "* * * * *"
}

task "report" {
  image    = "REGISTRY/web:1"
  cpu      = 0.02
  schedule = "0 3 1 1 *"
  timezone = "Europe/Berlin"
}
"""
SETTINGS = ("schedule", "timezone", "deadline")


def runs(namespace: Namespace, task: str) -> list[dict[str, Any]]:
    return [each for each in json.loads(namespace.mill("ps", "--all", "--json").stdout) if each["name"] == task]


def status(namespace: Namespace, task: str) -> dict[str, Any]:
    tasks = namespace.get("md", "mill").get("status", {}).get("tasks", [])
    return next((each for each in tasks if each["name"] == task), {})


def begin_a_run(namespace: Namespace, task: str) -> None:
    """Start a run as if its time had come: Kubernetes counts it as in progress."""
    assert namespace.mill("spawn", task).code == 0
    (job,) = namespace.items("jobs", "-l", f"mill.dev/task={task}")
    active = {"apiVersion": "batch/v1", "kind": "Job", "namespace": namespace.name}
    active |= {name: job["metadata"][name] for name in ("name", "uid")}
    patch = json.dumps({"status": {"active": [active]}})
    namespace.kubectl("patch", "cronjob", task, "--subresource=status", "--type=merge", "-p", patch)


def events(namespace: Namespace, reason: str) -> list[str]:
    found = namespace.kubectl(
        "get", "events", "--field-selector", f"reason={reason}", "-o", "jsonpath={..note}{..message}"
    )
    return found.splitlines()


def test_tasks_run_on_their_schedule_and_not_beside_themselves(namespace: Namespace) -> None:
    assert namespace.deploy(TASKS).code == 0
    report = wait_for("the next run", lambda: status(namespace, "report").get("nextRun"))
    assert report.endswith("-01-01T02:00:00.000Z")
    begin_a_run(namespace, "late")
    due = status(namespace, "late")["nextRun"]

    # A pause changes nothing of schedules: runs start, and are noted. Who suspends a CronJob then holds its runs back.
    assert namespace.mill("pause").code == 0
    namespace.kubectl("patch", "cronjob", "held", "--type=merge", "-p", '{"spec": {"suspend": true}}')
    wait_for("a run", lambda: "Succeeded" in [each["state"] for each in runs(namespace, "tick")], seconds=75)
    wait_for("a run that goes on", lambda: [each["state"] for each in runs(namespace, "slow")] == ["Running"])
    assert runs(namespace, "held") == []
    assert "nextRun" not in status(namespace, "held"), "none is expected"

    # A run that waits for an earlier one is missed when its deadline is over. Meanwhile the others are due again.
    missed = wait_for("a missed run", lambda: status(namespace, "late").get("missedRun"), seconds=100)
    assert missed >= due
    assert [each["state"] for each in runs(namespace, "late")] == ["Running"]
    shown = namespace.mill("status").stdout.partition("SCHEDULES\n")[2]
    assert "MISSED" in shown
    assert f"{missed[:10]} {missed[11:16]}Z" in shown
    wait_for("its Event", lambda: events(namespace, "RunMissed"))
    assert [each["state"] for each in runs(namespace, "slow")] == ["Running"]
    tick, slow = status(namespace, "tick"), status(namespace, "slow")
    assert slow["nextRun"] == tick["lastRun"] > slow["lastRun"]  # it is due, and waits
    assert tick["nextRun"] > tick["lastRun"]
    assert "missedRun" not in tick

    assert namespace.mill("resume").code == 0
    wait_for("the CronJob to go on", lambda: not namespace.get("cronjob", "held")["spec"]["suspend"])
    wait_for("its next run", lambda: "nextRun" in status(namespace, "held"))

    # Without the schedule nothing starts any more, and what runs is not ended.
    lines = [line for line in TASKS.splitlines() if not line.strip().startswith(SETTINGS)]
    assert namespace.deploy("\n".join(lines)).code == 0
    wait_for(
        "the CronJobs to be suspended", lambda: all(each["spec"]["suspend"] for each in namespace.items("cronjobs"))
    )
    wait_for("the status", lambda: "nextRun" not in status(namespace, "slow"))
    assert [each["state"] for each in runs(namespace, "slow")] == ["Running"]


@pytest.mark.parametrize(
    ("schedule", "error"),
    [
        ("0 25 * * *", "the hour of a schedule is from 0 to 23, got '25'"),
        ("TZ=UTC 0 3 * * *", "a schedule has no time zone in it"),
    ],
)
def test_a_bad_schedule_is_refused_wherever_it_is_written(
    namespace: Namespace, tmp_path: Path, schedule: str, error: str
) -> None:
    text = f'task "report" {{\n  image    = "web:1"\n  schedule = "{schedule}"\n}}\n'
    path = tmp_path / "shop.mill"
    path.write_text(text)
    validated = namespace.run(str(MILL), "validate", str(path), check=False)
    deployed = namespace.deploy(text)
    for done in (validated, deployed):
        assert done.code == 1, done
        assert f"task.report.schedule: {error}" in done.stderr
        assert ":3:14" in done.stderr
    resource = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": "mill", "namespace": namespace.name},
        "spec": {"tasks": [{"name": "report", "image": "web:1", "schedule": schedule}]},
    }
    with pytest.raises(AssertionError, match="the schedule must be minute, hour"):
        namespace.kubectl("apply", "-f", "-", stdin=json.dumps(resource))
