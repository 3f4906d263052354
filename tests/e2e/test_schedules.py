"""Tasks on a schedule, on the real cluster: they run, wait for one another, and are refused where they are wrong."""

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

task "report" {
  image    = "REGISTRY/web:1"
  cpu      = 0.02
  schedule = "0 3 1 1 *"
  timezone = "Europe/Berlin"
}
"""


def runs(namespace: Namespace, task: str) -> list[dict[str, Any]]:
    return [each for each in json.loads(namespace.mill("ps", "--all", "--json").stdout) if each["name"] == task]


def status(namespace: Namespace, task: str) -> dict[str, Any]:
    tasks = namespace.get("md", "mill").get("status", {}).get("tasks", [])
    return next((each for each in tasks if each["name"] == task), {})


def test_tasks_run_on_their_schedule_and_not_beside_themselves(namespace: Namespace) -> None:
    assert namespace.deploy(TASKS).code == 0
    report = wait_for("the next run", lambda: status(namespace, "report").get("nextRun"))
    assert report.endswith("-01-01T02:00:00.000Z")
    # Two runs of one task: two minutes at most. The other one is still in its first.
    wait_for(
        "two runs", lambda: sum(each["state"] == "Succeeded" for each in runs(namespace, "tick")) >= 2, seconds=150
    )
    assert [each["state"] for each in runs(namespace, "slow")] == ["Running"]
    tick, slow = status(namespace, "tick"), status(namespace, "slow")
    assert slow["nextRun"] == tick["lastRun"] > slow["lastRun"]  # it is due, and waits
    assert tick["nextRun"] > tick["lastRun"]
    assert "missedRun" not in tick
    assert "tick" in namespace.mill("status").stdout

    # Without the schedule nothing starts any more, and what runs is not ended.
    before = len(runs(namespace, "tick"))
    lines = [line for line in TASKS.splitlines() if "schedule" not in line and "timezone" not in line]
    assert namespace.deploy("\n".join(lines)).code == 0
    wait_for(
        "the CronJobs to be suspended", lambda: all(each["spec"]["suspend"] for each in namespace.items("cronjobs"))
    )
    wait_for("the status", lambda: "nextRun" not in status(namespace, "slow"))
    assert [each["state"] for each in runs(namespace, "slow")] == ["Running"]
    assert len(runs(namespace, "tick")) - before <= 1


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
