"""The operator is killed at random moments: a migration runs once, before its service, and in a rollback not at all.

`make soak-release` kills it at thirty moments of each.
"""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from hack import images
from hack.cluster import Cluster
from hack.install import local_processes as local
from tests.e2e.conftest import Namespace, new_namespace, wait_for
from tests.e2e.revisions import revisions

from .kills import kill_at_random
from .operator_process import OperatorProcess
from .scenario import KEPT, Outcome, Rollout, settled

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

ROLLOUTS: Final = int(os.environ.get("MILL_KILLED_ROLLOUTS", "1"))
KILLS: Final = 3
"""How often the operator is killed in each rollout."""
MOMENTS: Final = 5.0
"""Within how many seconds: in which no rollout can be over, since its migration and its service take two seconds each
beside the starts of their pods."""
MOMENTS_OF_ROLLBACKS: Final = 3.0
"""The same for a rollback, which has no migration."""
BEFORE: Final = (
    KEPT
    + """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  replicas = 2
}

task "migrate" {
  image   = "REGISTRY/busybox:1"
  cpu     = 0.02
  command = ["sleep", "2"]
  before  = ["web"]
}
"""
)
SLOW: Final = BEFORE.replace("port ", 'command = ["/web", "-ready-after", "2s"]\n  port ')
AFTER: Final = SLOW.replace("web:1", "web:2")


@pytest.fixture(scope="module", autouse=True)
def image_of_migrations(cluster: Cluster) -> None:
    images.push_busybox(cluster.registry, "1")


@pytest.fixture(scope="module")
def quiet(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """What the rollout comes to when nothing disturbs it."""
    with new_namespace(cluster, tmp_path_factory.mktemp("quiet")) as namespace:
        settled(namespace, BEFORE)
        yield Rollout(namespace, AFTER).outcome()


@contextmanager
def watched_pods(namespace: Namespace, file: Path) -> Iterator[None]:
    """Write each change of the pods of `web` to a file, in the order of the API server."""
    labels = ("-l", "mill.dev/service=web", "--watch", "--output-watch-events", "-o", "json")
    command = namespace.cluster.kubectl_command("--namespace", namespace.name, "get", "pods", *labels)
    environment = {**os.environ, **namespace.cluster.environment()}
    with file.open("w") as output, subprocess.Popen(command, stdout=output, env=environment) as process:
        try:
            wait_for("the watch", lambda: file.stat().st_size)
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def changes(file: Path) -> Iterator[dict[str, Any]]:
    """The changes that were written, in order. The last may be cut."""
    text, decoder, at = file.read_text(), json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        try:
            found, at = decoder.raw_decode(text, at)
        except ValueError:
            return
        yield found


def runs(namespace: Namespace) -> Counter[str]:
    """How often a pod was created for each Job that ever existed, by the Job's uid."""
    events = namespace.items("events", "--field-selector", "reason=SuccessfulCreate,involvedObject.kind=Job")
    found: Counter[str] = Counter()
    for each in events:
        found[each["involvedObject"]["uid"]] += each.get("count") or 1
    return found


def programs_started(namespace: Namespace) -> int:
    """How often a kubelet has started the program of a migration."""
    events = namespace.items("events", "--field-selector", "reason=Started,involvedObject.kind=Pod")
    ours = (each for each in events if each["involvedObject"]["name"].startswith("migrate-"))
    return sum(each.get("count") or 1 for each in ours)


def task(namespace: Namespace) -> dict[str, Any]:
    (found,) = namespace.status()["rolloutTasks"]
    return dict(found)


def ended_at(namespace: Namespace) -> str:
    """When the program of the newest migration had ended."""
    (pod,) = namespace.items("pods", "-l", f"job-name={task(namespace)['run']}")
    return str(pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"])


def assert_that_older_pods_served(namespace: Namespace, older: set[str], file: Path) -> None:
    """No pod of the older version goes before one of the newer is ready, whenever the operator ends."""
    ready = False
    for change in changes(file):
        pod = change["object"]
        conditions = pod["status"].get("conditions", ())
        is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
        ready |= pod["metadata"]["uid"] not in older and is_ready
        if pod["metadata"]["uid"] in older and not ready:
            assert change["type"] != "DELETED"
            assert "deletionTimestamp" not in pod["metadata"], "it goes before a newer one is ready"
            assert is_ready
    newer = [pod for pod in namespace.pods("web") if pod["metadata"]["uid"] not in older]
    assert len(newer) == 2


@pytest.mark.parametrize("which", range(1, ROLLOUTS + 1))
def test_a_migration_runs_once_and_before_its_service(
    which: int, namespace: Namespace, operator: OperatorProcess, quiet: Outcome, tmp_path: Path
) -> None:
    settled(namespace, BEFORE)
    older, first = set(namespace.ready_pods("web")), task(namespace)
    assert len(older) == 2
    with watched_pods(namespace, tmp_path / "pods.json"):
        rollout = Rollout(namespace, AFTER)
        kill_at_random(operator, which, KILLS, MOMENTS, lambda: rollout.over)
        assert rollout.outcome() == quiet
    second = task(namespace)
    assert (second["state"], second["succeeded"]) == ("Succeeded", [second["version"], first["version"]])
    assert runs(namespace) == {first["uid"]: 1, second["uid"]: 1}, "one Job for each version, with one pod"
    assert programs_started(namespace) == 2
    assert_that_older_pods_served(namespace, older, tmp_path / "pods.json")
    newer = [pod for pod in namespace.pods("web") if pod["metadata"]["uid"] not in older]
    assert all(pod["metadata"]["creationTimestamp"] >= ended_at(namespace) for pod in newer)


@pytest.mark.parametrize("which", range(1, ROLLOUTS + 1))
def test_a_rollback_ends_as_if_nothing_had_been_killed_and_migrates_nothing(
    which: int, namespace: Namespace, operator: OperatorProcess, tmp_path: Path
) -> None:
    settled(namespace, SLOW)
    settled(namespace, AFTER)
    older, migrations = set(namespace.ready_pods("web")), runs(namespace)
    assert len(migrations) == 2
    with watched_pods(namespace, tmp_path / "pods.json"):
        generation = namespace.get("milldeployment", "mill")["metadata"]["generation"]
        done = namespace.mill("rollback", "--yes", "--wait=false")
        assert done.code == 0, done

        def is_over() -> bool:
            rollout = namespace.status()["rollout"]
            return rollout["id"] != str(generation) and "finishedAt" in rollout

        kill_at_random(operator, f"rollback {which}", KILLS, MOMENTS_OF_ROLLBACKS, is_over)
        followed = namespace.mill("watch")
        assert followed.code == 0, followed
        namespace.recorded_rollout()
    assert runs(namespace) == migrations, "back at a version that has been migrated"
    assert_that_older_pods_served(namespace, older, tmp_path / "pods.json")
    kept = revisions(namespace)
    assert [each.revision for each in kept] == [3, 2, 1]
    assert {each.result for each in kept} == {"Succeeded"}
    assert kept[0].digest == kept[2].digest
    assert kept[0].tasks == kept[2].tasks
    assert kept[0].asked.rollback == 1


def test_another_operator_goes_on_between_the_migration_and_its_service(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    settled(namespace, BEFORE)
    older = namespace.ready_pods("web")
    assert namespace.deploy(AFTER, "--wait=false").code == 0
    wait_for("the migration", lambda: task(namespace)["state"] == "Running" and "uid" in task(namespace))
    assert namespace.mill("pause").code == 0
    wait_for("its success", lambda: task(namespace)["state"] == "Succeeded")
    assert namespace.ready_pods("web") == older
    operator.kill()
    namespace.kubectl("delete", "jobs", "--all", "--wait=true")
    operator.launch({"MILL_SETTLE": "2s"})  # another one, as after an upgrade
    local.wait_until_ready("operator")
    assert namespace.mill("resume").code == 0
    wait_for("the end", lambda: "finishedAt" in namespace.status()["rollout"])
    assert namespace.status()["rollout"]["success"]
    assert len(runs(namespace)) == programs_started(namespace) == 2
    assert len(task(namespace)["succeeded"]) == 2
    assert namespace.items("jobs") == []
    assert namespace.ready_pods("web").keys().isdisjoint(older)
