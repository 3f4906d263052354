"""What the real kstatus reads in every status that there ever was of a rollout, as Flux and others do."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.verdicts import BROKEN, GOOD, judged
from tests.support.kstatus import kstatus

from . import guide
from .conftest import MILL, Namespace, wait_for

SLOW = """
service "slow" {
  image   = "REGISTRY/web:1"
  port    = 8080
  cpu     = 0.02
  command = ["/web", "-ready-after", "5s"]
  health { path = "/healthz" }
}
"""
NONE = 'service "web" {\n  image = "REGISTRY/web:1"\n  port = 8080\n  cpu = 0.02\n  replicas = 0\n}\n'


class Recorded:
    """Every version of the MillDeployment that the API server has shown, from the moment at which this is made."""

    def __init__(self, namespace: Namespace) -> None:
        self.objects: list[dict[str, Any]] = []
        path = f"/apis/mill.dev/v1alpha1/namespaces/{namespace.name}/milldeployments"
        # From a version that is known, so that nothing is missed while the watch begins.
        version = json.loads(namespace.kubectl("get", "--raw", path))["metadata"]["resourceVersion"]
        command = namespace.cluster.kubectl_command("get", "--raw", f"{path}?watch=1&resourceVersion={version}")
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            if event["type"] in ("ADDED", "MODIFIED"):
                self.objects.append(event["object"])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._reader.join(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def read(self) -> list[str]:
        """What kstatus says of each, which is what the guide says of it."""
        objects = list(self.objects)  # more may come meanwhile
        return [judged(*each) for each in zip(kstatus(objects), objects, strict=True)]


@pytest.fixture
def recorded(namespace: Namespace) -> Iterator[Recorded]:
    """A recording of the namespace's MillDeployments."""
    made = Recorded(namespace)
    yield made
    made.stop()


@contextmanager
def during(recorded: Recorded, last: str) -> Iterator[list[str]]:
    """What is read of what happens in the block and after it, until the end is as it should be; without repetitions."""
    before, phases = len(recorded.objects), []
    yield phases
    wait_for(f"{last} at the end", lambda: recorded.objects and recorded.read()[-1] == last)
    wait_for("the last write of the rollout", lambda: _is_noted(recorded.objects[-1]))
    for each in recorded.read()[before:]:
        if not phases or phases[-1] != each:
            phases.append(each)


def _is_noted(resource: dict[str, Any]) -> bool:
    """Whether the revision has the result of the rollout, which is the last write of its status."""
    rollout = resource["status"]["rollout"]
    return bool(rollout.get("recorded") or rollout.get("refused"))


def test_every_moment_of_rollouts(namespace: Namespace, recorded: Recorded) -> None:
    with during(recorded, "Current") as first:
        assert namespace.deploy(GOOD).code == 0
    assert first == ["InProgress", "Current"]

    with during(recorded, "Failed") as second:
        assert namespace.deploy(GOOD + BROKEN).code == 1
    assert second == ["InProgress", "Failed"]

    with during(recorded, "Current") as fixed:
        assert namespace.deploy(GOOD + BROKEN.replace("web:missing", "web:2")).code == 0
    assert fixed == ["InProgress", "Current"]

    with during(recorded, "Failed") as at_once:
        assert namespace.deploy(GOOD + SLOW + BROKEN).code == 1
    assert at_once == ["InProgress", "Failed"]  # with the first failure, while others start

    with during(recorded, "Current") as smaller:
        assert namespace.deploy(NONE).code == 0
    assert smaller == ["InProgress", "Current"]

    with during(recorded, "Failed") as refused:
        wrong = [{"op": "add", "path": "/spec/services/0/env", "value": {"A": "${service.nothing.address}"}}]
        namespace.kubectl("patch", "md", "mill", "--type=json", "-p", json.dumps(wrong))
    assert refused == ["InProgress", "Failed"]

    assert recorded.objects[0]["status"] == {"observedGeneration": -1}
    moments = {row.moment for row in guide.table()} - {"Mill has an internal error"}  # which no user can cause here
    assert {guide.row_of(each).moment for each in recorded.objects} == moments


def test_a_lost_pod_does_not_unmake_a_good_rollout(namespace: Namespace, recorded: Recorded) -> None:
    with during(recorded, "Current") as told:
        assert namespace.deploy(GOOD).code == 0
        (pod,) = namespace.pods("web")
        namespace.kubectl("delete", "pod", pod["metadata"]["name"])
        wait_for("another pod", lambda: namespace.ready_pods("web"))
        wait_for("the status", lambda: namespace.service("web")["state"] == "Healthy")
    assert told == ["InProgress", "Current"]


def test_a_newer_file_before_the_older_one_is_done(namespace: Namespace, recorded: Recorded) -> None:
    file = namespace.folder / "slow.mill"
    file.write_text((GOOD + SLOW).replace("REGISTRY", namespace.registry))
    rendered = namespace.run(str(MILL), "render", str(file)).stdout
    with during(recorded, "Current") as told:
        namespace.kubectl("apply", "-f", "-", stdin=rendered)
        wait_for("its rollout", lambda: namespace.status().get("rollout"))
        assert namespace.deploy(GOOD).code == 0
    assert told == ["InProgress", "Current"]
    assert [each["superseded"] for each in namespace.status()["history"]] == [True]


def test_deletion_is_not_taken_for_success(namespace: Namespace, recorded: Recorded) -> None:
    """In the foreground, as Argo CD deletes: the resource stays until its objects are gone."""
    with during(recorded, "Terminating") as told:
        assert namespace.deploy(GOOD).code == 0
        namespace.kubectl("delete", "md", "mill", "--cascade=foreground", "--timeout=60s")
    assert told == ["InProgress", "Current", "Terminating"]
    assert guide.says("is being deleted is `Terminating`")
