"""Runs that a script waits for, on the real cluster: their log, their exit code, and the task of a file."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import MILL, Namespace, wait_for

TASKS = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}

task "migrate" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-print", "step 1", "-exit-after", "1s", "-exit-code", "CODE"]
  env     = { URL = "http://${service.web.address}/${secret(token)}" }
}

task "slow" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-print", "waiting", "-no-listen"]
}
"""


def file(namespace: Namespace, folder: Path, code: str = "0", tag: str = "1") -> str:
    """Write the file, with this exit code and this tag of its tasks; return its path."""
    path = folder / "new.mill"
    service, task = TASKS.split("\ntask", 1)
    text = f"{service}\ntask{task.replace('web:1', f'web:{tag}')}".replace("CODE", code)
    path.write_text(text.replace("REGISTRY", namespace.registry))
    return str(path)


def runs(namespace: Namespace) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(namespace.mill("ps", "--json").stdout)}


@pytest.fixture
def deployed(namespace: Namespace, tmp_path: Path) -> Namespace:
    """A namespace with these tasks, and the secret that one of them names."""
    namespace.mill("secret", "set", "token", stdin="t\n")
    assert namespace.mill("deploy", file(namespace, tmp_path)).code == 0
    return namespace


def test_a_run_is_waited_for_with_its_log_and_its_exit_code(deployed: Namespace, tmp_path: Path) -> None:
    done = deployed.mill("spawn", "migrate", "--wait")
    assert done.code == 0, done
    assert "step 1\n" in done.stdout
    lines = done.stderr.splitlines()  # on a busy machine, what it waits for is among them
    assert [line for line in lines if " succeeded (" in line] == lines[-1:]

    # The file's task runs, not the deployed one, and nothing else of the file is applied.
    before = deployed.get("md", "mill")["metadata"]["generation"]
    failed = deployed.mill("spawn", "migrate", "-f", file(deployed, tmp_path, code="3"), "--wait")
    assert (failed.code, "step 1\n" in failed.stdout) == (3, True), failed
    assert failed.stderr.endswith(" failed: container exited with code 3\n")
    assert deployed.get("md", "mill")["metadata"]["generation"] == before

    shown = [line.split() for line in deployed.mill("ps").stdout.splitlines()[1:]]
    assert [row[3:4] + row[7:8] + row[-1:] for row in shown] == [
        ["failed", "3", "ContainerExited"],
        ["succeeded", "0", shown[1][-1]],
    ]
    ended = deployed.mill("kill", shown[0][0])
    already = f"run {shown[0][0]} has ended already: failed: container exited with code 3 (last log line: "
    assert (ended.code, ended.stderr[: len(already)]) == (0, already)
    statuses = {
        each["id"]: (each["status"], each["state"]) for each in json.loads(deployed.mill("ps", "--json").stdout)
    }
    assert statuses == {shown[0][0]: ("failed", "Failed"), shown[1][0]: ("stopped", "Succeeded")}


def test_a_task_of_a_file_runs_before_its_first_deploy(namespace: Namespace, tmp_path: Path) -> None:
    namespace.mill("secret", "set", "token", stdin="t\n")
    done = namespace.mill("spawn", "migrate", "-f", file(namespace, tmp_path), "--wait")
    assert done.code == 0, done
    assert namespace.items("deployments,services,cronjobs") == []
    (pod,) = namespace.items("pods")
    values = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
    assert values["URL"] == f"http://web.{namespace.name}.svc:8080/$(MILL_SECRET_1)"
    assert namespace.mill("deploy", file(namespace, tmp_path)).code == 0  # into the MillDeployment of the run


def test_a_run_that_cannot_start_is_explained_and_does_not_start_later(deployed: Namespace, tmp_path: Path) -> None:
    done = deployed.mill("spawn", "migrate", "-f", file(deployed, tmp_path, tag="missing"), "--wait")
    assert (done.stdout, done.code) == ("", 1)
    lines = done.stderr.splitlines()
    assert lines[1].endswith(f" failed: image pull failed: tag not found (image {deployed.registry}/web:missing)")
    assert [line[:8] for line in lines[2:]] == ["  help: "] * 2
    wait_for("the run to go", lambda: deployed.items("jobs") == [])
    ended = wait_for("the operator to report it", lambda: (run := runs(deployed)["migrate"])["finished_at"] and run)
    assert (ended["status"], ended["state"], ended["reason"]) == ("stopped", "Failed", "TagNotFound")


def test_ctrl_c_leaves_the_run_and_its_time_ends_it(deployed: Namespace) -> None:
    running = subprocess.Popen(
        [str(MILL), "spawn", "slow", "--wait", "--namespace", deployed.name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "MILL_ADDRESS": deployed.gateway},
        text=True,
    )
    with running:
        assert running.stdout is not None
        assert "waiting" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=30)
    run = runs(deployed)["slow"]
    assert (running.returncode, run["state"]) == (3, "Running")
    assert f"`mill kill {run['id']} --namespace {deployed.name}` stops it" in stderr
    assert deployed.mill("kill", run["id"]).code == 0

    late = deployed.mill("spawn", "slow", "--wait", "--timeout", "20s")
    assert late.code == 1, late
    assert " failed: timed out after 20s\n" in late.stderr
    assert "waiting" in late.stdout
