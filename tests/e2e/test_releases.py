"""Tasks in rollouts: a migration runs once for each version, before its services, and its failure stops these alone."""

import json
import re
from typing import Any, Final

import pytest

from hack import images
from hack.cluster import Cluster
from hack.install import local_processes as local

from .conftest import Finished, Namespace, wait_for

FILE: Final = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  env   = { VERSION = "VERSION_OF_WEB" }
  update { settle = "1s" }
}

service "neighbor" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  update { settle = "1s" }
}

task "migrate" {
  image   = "REGISTRY/busybox:1"
  cpu     = 0.02
  command = ["sh", "-c", "MIGRATION"]
  before  = ["web"]
}
"""


@pytest.fixture(scope="module", autouse=True)
def image_of_migrations(cluster: Cluster) -> None:
    images.push_busybox(cluster.registry, "1")


def deploy(
    namespace: Namespace, version: str = "1", migration: str = "echo migrated", *options: str, more: str = ""
) -> Finished:
    text = FILE.replace("VERSION_OF_WEB", version).replace("MIGRATION", migration)
    return namespace.deploy(text + more, *options)


def task(namespace: Namespace, name: str = "migrate") -> dict[str, Any]:
    """The status of a task in rollouts."""
    (found,) = (each for each in namespace.status().get("rolloutTasks", []) if each["name"] == name)
    return found


def jobs(namespace: Namespace) -> list[str]:
    return sorted(job["metadata"]["name"] for job in namespace.items("jobs"))


def ended(namespace: Namespace, run: str) -> dict[str, Any]:
    """How the container of a run has ended."""
    (pod,) = namespace.items("pods", "-l", f"job-name={run}")
    found: dict[str, Any] = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return found


def delete_jobs(namespace: Namespace) -> None:
    namespace.kubectl("delete", "jobs", "--all", "--wait=true")


def test_a_migration_runs_before_its_service_and_never_again_for_its_version(namespace: Namespace) -> None:
    done = deploy(namespace)
    assert done.code == 0, done
    assert re.search(r"^  migrate: +done \(\d+\.\ds\)$", done.stderr, re.MULTILINE), done.stderr
    assert "  task migrate runs before web\n" in done.stderr
    first = task(namespace)
    assert (first["state"], first["succeeded"]) == ("Succeeded", [first["version"]])
    job = namespace.get("job", first["run"])
    web = namespace.get("deployment", "web")
    assert ended(namespace, first["run"])["finishedAt"] <= web["metadata"]["creationTimestamp"]
    assert job["metadata"]["ownerReferences"][0]["kind"] == "MillDeployment"
    (run,) = namespace.status()["tasks"][0]["runs"]
    assert run["name"] == first["run"]
    delete_jobs(namespace)

    assert namespace.mill("restart", "web").code == 0
    text = FILE.replace("VERSION_OF_WEB", "1").replace("MIGRATION", "echo migrated")
    assert namespace.deploy(text.replace("port  = 8080", "port  = 8080\n  replicas = 2", 1)).code == 0
    local.start(namespace.cluster, "operator")
    assert deploy(namespace).code == 0
    assert jobs(namespace) == []
    assert task(namespace)["version"] == first["version"]

    assert deploy(namespace, "2").code == 0
    second = task(namespace)
    assert second["version"] != first["version"]
    assert jobs(namespace) == [second["run"]]
    delete_jobs(namespace)
    back = deploy(namespace, "1")
    assert back.code == 0, "back to a version that has been migrated"
    assert "  task migrate does not run: it has succeeded for this version\n" in back.stderr
    assert jobs(namespace) == []
    assert task(namespace)["succeeded"] == [second["version"], first["version"]]


def test_a_failed_migration_stops_its_service_alone_and_runs_again_when_asked(namespace: Namespace) -> None:
    assert deploy(namespace).code == 0
    pods = namespace.ready_pods("web")
    neighbors = namespace.ready_pods("neighbor")
    worker = '\nservice "other" {\n  image = "REGISTRY/web:1"\n  cpu = 0.02\n}\n'
    done = deploy(namespace, "2", "echo no such table >&2; exit 3", more=worker)
    assert done.code == 1
    assert "not begun: task migrate has failed: container exited with code 3" in done.stdout + done.stderr
    web = namespace.service("web")
    assert (web["state"], web["reason"]) == ("Failed", "ReleaseFailed")
    assert web["detail"] == "last log line: no such table"
    assert namespace.ready_pods("web") == pods, "the older version serves on"
    assert namespace.ready_pods("neighbor") == neighbors
    assert namespace.service("other")["state"] == "Healthy"
    failed = task(namespace)
    assert failed["state"] == "Failed"

    again = deploy(namespace, "2", "echo no such table >&2; exit 3", more=worker)
    assert again.code == 1
    assert task(namespace)["run"] != failed["run"], "asked again, it runs again"
    assert task(namespace)["version"] == failed["version"]

    assert deploy(namespace, "2", more=worker).code == 0
    assert namespace.ready_pods("web").keys().isdisjoint(pods)


def test_a_migration_whose_image_does_not_exist_fails_with_that_cause(namespace: Namespace) -> None:
    text = FILE.replace("VERSION_OF_WEB", "1").replace("MIGRATION", "true").replace("busybox:1", "busybox:none")
    done = namespace.deploy(text)
    assert done.code == 1
    assert "not begun: task migrate has failed: image pull failed: tag not found" in done.stdout + done.stderr
    assert namespace.pods("web") == []
    wait_for("the Job that could not start to be deleted", lambda: jobs(namespace) == [])


def test_a_killed_migration_has_failed_when_its_program_has_ended(namespace: Namespace) -> None:
    assert deploy(namespace).code == 0
    slow = "trap 'sleep 4; exit 0' TERM; echo migrating; sleep 300 & wait"
    assert deploy(namespace, "2", slow, "--wait=false").code == 0
    wait_for("the run", lambda: task(namespace)["state"] == "Running")
    run = task(namespace)["run"]
    wait_for("its output", lambda: namespace.mill("logs", run).stdout == "migrating\n")
    (listed,) = (each for each in json.loads(namespace.mill("ps", "--json").stdout) if each["id"] == run)
    assert (listed["name"], listed["state"]) == ("migrate", "Running")
    assert namespace.condition("Ready")["message"] == "1 of 2 healthy; waiting for task migrate, web"
    shown = namespace.mill("status").stdout.partition("TASKS OF ROLLOUTS\n")[2].splitlines()[1]
    assert shown.split()[:4] == ["migrate", "before", "web", run]
    assert shown.split()[-1] == "running"

    killed = namespace.mill("kill", run)
    assert (killed.code, killed.stderr) == (0, f"task {run} killed\n")
    assert deploy(namespace, "2", "echo migrated", "--wait=false").code == 0
    (ending,) = namespace.items("pods", "-l", f"job-name={run}")
    wait_for("the next run", lambda: task(namespace)["run"] != run)
    for pod in namespace.items("pods", "-l", f"job-name={run}"):
        state = pod["status"]["containerStatuses"][0]["state"]
        assert "terminated" in state, "none begins beside a program that still runs"
    assert ending["metadata"]["deletionTimestamp"]
    assert namespace.mill("watch").code == 0
    assert task(namespace)["state"] == "Succeeded"
    wait_for("the older pod to end", lambda: len(namespace.pods("web")) == 1)

    pods = namespace.ready_pods("web")
    assert deploy(namespace, "3", slow, "--wait=false").code == 0
    wait_for("the third run", lambda: jobs(namespace) and task(namespace)["state"] == "Running")
    run = task(namespace)["run"]
    assert namespace.mill("kill", run).code == 0
    watched = namespace.mill("watch")
    assert watched.code == 1
    cause = "not begun: task migrate has failed: its run was stopped before it ended"
    assert cause in watched.stdout + watched.stderr
    web = namespace.service("web")
    assert (web["state"], web["reason"], web["message"]) == ("Failed", "ReleaseFailed", cause)
    assert namespace.ready_pods("web") == pods, "the older version serves on"
    assert namespace.condition("Stalled")["message"] == f"1 of 2 failed: web: {cause}"
    assert namespace.condition("Ready")["reason"] == "ReleaseFailed"
    (ended,) = (each for each in json.loads(namespace.mill("ps", "--all", "--json").stdout) if each["id"] == run)
    assert ended["state"] == "Stopped"


def test_a_newer_file_waits_for_the_run_of_the_older_one(namespace: Namespace) -> None:
    assert deploy(namespace, "1", "sleep 15", "--wait=false").code == 0
    wait_for("the first run", lambda: jobs(namespace))
    (first,) = jobs(namespace)
    assert deploy(namespace, "2", "sleep 15").code == 0
    job = namespace.get("job", first)
    assert job["status"]["succeeded"] == 1, "it was not ended for the newer file"
    second = namespace.get("job", task(namespace)["run"])
    assert ended(namespace, first)["finishedAt"] <= second["metadata"]["creationTimestamp"]
    assert len(task(namespace)["succeeded"]) == 2


def test_a_migration_waits_for_the_database_that_it_names(namespace: Namespace) -> None:
    text = (
        FILE.replace("VERSION_OF_WEB", "1")
        .replace("MIGRATION", "wget -q -O - http://$DB/")
        .replace("before  =", 'env = { DB = "${service.neighbor.address}" }\n  before  =')
    )
    assert namespace.deploy(text).code == 0
    assert namespace.mill("logs", task(namespace)["run"]).code == 0


def test_what_follows_success_runs_after_it_and_counts_for_the_result(namespace: Namespace) -> None:
    text = FILE.replace('before  = ["web"]', 'after   = ["web"]').replace("VERSION_OF_WEB", "1")
    done = namespace.deploy(text.replace("MIGRATION", "echo warmed up"))
    assert done.code == 0, done
    ran = task(namespace)
    assert ran["state"] == "Succeeded"
    assert namespace.get("deployment", "web")["metadata"]["creationTimestamp"] < ran["startedAt"]
    done = namespace.deploy(text.replace("MIGRATION", "exit 4"))
    assert done.code == 1
    assert "task migrate has failed: container exited with code 4" in done.stdout + done.stderr
    assert namespace.service("web")["state"] == "Healthy"
    ready = namespace.condition("Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ReleaseFailed")


def test_a_resource_that_kubectl_applies_migrates_first_too(namespace: Namespace) -> None:
    file = namespace.folder / "production.mill"
    text = FILE.replace("VERSION_OF_WEB", "1").replace("MIGRATION", "echo migrated")
    file.write_text(text.replace("REGISTRY", namespace.registry))
    namespace.kubectl("apply", "-f", "-", stdin=namespace.mill("render", str(file)).stdout)
    wait_for("success", lambda: namespace.status().get("rollout", {}).get("success"))
    ran = task(namespace)
    assert ran["state"] == "Succeeded"
    assert (
        ended(namespace, ran["run"])["finishedAt"]
        <= namespace.get("deployment", "web")["metadata"]["creationTimestamp"]
    )
