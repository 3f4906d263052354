"""Mill by kubectl alone: what it shows, what it waits for, and what a deletion leaves."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hack.install import local_processes as local
from tests.e2e.verdicts import BROKEN, GOOD

from . import guide
from .conftest import MILL, Namespace, wait_for

CHILDREN = "deployments,services,ingresses,cronjobs,jobs,pods"
EVERYTHING = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  route "NAME.example.com" {
    path = "/"
  }
  volume "data-NAME" {
    path = "/data"
    size = "10M"
  }
}

task "sleep" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-no-listen"]
}
"""


@pytest.fixture
def shell(namespace: Namespace) -> dict[str, str]:
    """Variables under which a plain `kubectl` is in the namespace."""
    config = namespace.folder / "kubeconfig"
    shutil.copy(namespace.cluster.kubeconfig, config)
    kubectl = str(namespace.cluster.kubectl)
    environment = {**os.environ, "KUBECONFIG": str(config), "PATH": f"{Path(kubectl).parent}:{os.environ['PATH']}"}
    chosen = ["config", "set-context", "--current", "--namespace", namespace.name]
    subprocess.run([kubectl, *chosen], env=environment, check=True, capture_output=True)
    return environment


def rendered(namespace: Namespace, text: str) -> None:
    """Write mill.yaml, as people do who have it in Git."""
    file = namespace.folder / "production.mill"
    file.write_text(text.replace("REGISTRY", namespace.registry))
    (namespace.folder / "mill.yaml").write_text(namespace.run(str(MILL), "render", str(file)).stdout)


def test_lists_and_descriptions_read_well(namespace: Namespace) -> None:
    assert namespace.deploy(GOOD + BROKEN).code == 1
    head, row = namespace.kubectl("get", "md").splitlines()
    assert head.split() == ["NAME", "READY", "SERVICES", "STATUS", "AGE"]
    assert re.split(r"  +", row)[:4] == [
        "mill",
        "False",
        "1/2",
        "1 of 2 failed: broken: image pull failed: tag not found",
    ]
    head, row = namespace.kubectl("get", "md", "-o", "wide").splitlines()
    assert head.split() == ["NAME", "READY", "SERVICES", "STATUS", "AGE", "SERVING", "ACTIVE", "RUNS"]
    assert row.split()[-2:] == ["1/2", "0"]
    for name in ("mill", "milldeployment", "milldeployments.mill.dev"):
        assert namespace.kubectl("get", name, "-o", "name") == "milldeployment.mill.dev/mill\n"
    wait_for("the last event", lambda: "RolloutFailed" in namespace.kubectl("describe", "md", "mill"))
    described, _, events = namespace.kubectl("describe", "md", "mill").partition("\nEvents:\n")
    assert re.search(r"Message: +1 of 2 failed: broken: image pull failed: tag not found", described)
    assert re.search(r"Suggestion: +Check the name and tag of the image", described)
    assert re.search(r"Evidence: +.*not found", described)
    assert "kopf" not in described
    told = sorted(re.split(r"  +", line.strip()) for line in events.splitlines()[2:])
    assert [(kind, reason, source, text) for kind, reason, _, source, text in told] == [
        ("Normal", "Healthy", "mill.dev/operator", "web is healthy"),
        ("Normal", "RolloutStarted", "mill.dev/operator", "rollout 1 has started"),
        (
            *("Warning", "RolloutFailed", "mill.dev/operator"),
            "rollout 1 has finished with errors: 1 of 2 failed: broken: image pull failed: tag not found",
        ),
        ("Warning", "TagNotFound", "mill.dev/operator", "broken has failed: image pull failed: tag not found"),
    ]


@pytest.mark.parametrize(
    ("path", "some"),
    [
        ("md", {"spec", "status"}),
        ("md.spec", {"services", "tasks"}),
        ("md.spec.services", {"image", "port", "replicas", "cpu", "memory", "env", "health", "routes", "volumes"}),
        ("md.spec.tasks", {"image", "timeout", "command"}),
        ("md.status", {"conditions", "rollout", "services", "history", "healthy", "activeRuns"}),
        ("md.status.services", {"state", "reason", "message", "suggestion", "evidence", "transitions"}),
        ("md.status.services.replicas", {"desired", "updated", "healthy"}),
        ("md.status.rollout", {"id", "finishedAt", "success"}),
        ("md.status.tasks.runs", {"state", "exitCode"}),
        ("md.status.conditions", {"type", "status", "reason", "message"}),
    ],
)
def test_explain_describes_every_field(shared: Namespace, path: str, some: set[str]) -> None:
    text = shared.kubectl("explain", path)
    about, fields = text.split("\nFIELDS:\n")
    assert re.search(r"^DESCRIPTION:\n    (?!<empty>)\S", about, re.MULTILINE)
    described = dict(re.findall(r"^  (\w+)\t<.*\n(?:  enum: .*\n)?    (\S.*)", fields, re.MULTILINE))
    assert described.keys() == set(re.findall(r"^  (\w+)\t", fields, re.MULTILINE))
    assert described.keys() >= some
    assert "<no description>" not in described.values()


def test_the_documented_wait_for_ready_and_stalled(namespace: Namespace, shell: dict[str, str]) -> None:
    lines = guide.block("console", "--for=condition=Ready").replace("$ ", "")
    rendered(namespace, GOOD)
    subprocess.run(["sh", "-ec", lines], env=shell, cwd=namespace.folder, check=True, timeout=60)
    rendered(namespace, GOOD + BROKEN)
    assert guide.says("`--for=condition=Stalled` returns when something has failed")
    twin = lines.replace("condition=Ready", "condition=Stalled")
    subprocess.run(["sh", "-ec", twin], env=shell, cwd=namespace.folder, check=True, timeout=90)


def test_the_documented_script_for_ci(namespace: Namespace, shell: dict[str, str]) -> None:
    script = guide.block("sh", "observedGeneration")
    refused = GOOD.replace("cpu   = 0.02", 'cpu   = 0.02\n  env   = { A = "NOWHERE" }')
    for text, code in ((GOOD, 0), (GOOD + BROKEN, 1), (refused, 1), (GOOD, 0), (GOOD, 0)):
        rendered(namespace, text)
        file = namespace.folder / "mill.yaml"
        file.write_text(file.read_text().replace("NOWHERE", "${service.nothing.address}"))  # mill would not write it
        done = subprocess.run(
            ["sh", "-ec", script],
            env=shell,
            cwd=namespace.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done


@pytest.mark.alone
@pytest.mark.parametrize("operator", ["runs", "is away"])
def test_a_deletion_takes_everything_but_data(namespace: Namespace, operator: str) -> None:
    text = EVERYTHING.replace("NAME", namespace.name)
    assert namespace.deploy(text).code == 0
    assert namespace.mill("spawn", "sleep").code == 0
    assert len(namespace.items(CHILDREN)) == 7  # each kind once, and the run's pod
    if operator == "is away":
        local.stop("operator")
    try:
        namespace.kubectl("delete", "md", "mill", "--timeout=30s")
        wait_for("everything to go", lambda: namespace.items(CHILDREN) == [])
    finally:
        if operator == "is away":
            local.start(namespace.cluster, "operator")
    (claim,) = namespace.items("persistentvolumeclaims")
    assert claim["metadata"]["name"] == f"data-{namespace.name}"
