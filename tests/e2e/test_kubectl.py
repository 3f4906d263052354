"""Mill by kubectl alone: what it shows, what it waits for, and what a deletion leaves."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from hack import local
from tests.e2e.test_kstatus import BROKEN, GOOD

from .conftest import MILL, Namespace, wait_for

GUIDE = Path(__file__).parents[2] / "docs" / "gitops.md"
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


def documented(language: str, containing: str) -> str:
    """The one block of the guide that has this in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    (found,) = [each for each in blocks if containing in each]
    return found


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
    for name in ("mill", "milldeployment", "milldeployments.mill.dev"):
        assert namespace.kubectl("get", name, "-o", "name") == "milldeployment.mill.dev/mill\n"
    described = namespace.kubectl("describe", "md", "mill")
    wait_for("the events", lambda: "TagNotFound" in namespace.kubectl("describe", "md", "mill").partition("Events:")[2])
    assert re.search(r"Message: +1 of 2 failed: broken: image pull failed: tag not found", described)
    assert re.search(r"Suggestion: +Check the image's name and tag", described)
    assert "kopf" not in described


def test_explain_describes_every_field_of_a_service(shared: Namespace) -> None:
    text = shared.kubectl("explain", "md.spec.services")
    fields = dict(re.findall(r"^  (\w+)\t<[^\n]*>[^\n]*\n    (\S[^\n]*)", text, re.MULTILINE))
    assert {"image", "port", "replicas", "cpu", "memory", "env", "health", "routes", "volumes", "command"} <= {*fields}


def test_the_documented_wait_for_ready_and_stalled(namespace: Namespace, shell: dict[str, str]) -> None:
    lines = documented("console", "--for=condition=Ready").replace("$ ", "")
    rendered(namespace, GOOD)
    subprocess.run(["sh", "-ec", lines], env=shell, cwd=namespace.folder, check=True, timeout=60)
    rendered(namespace, GOOD + BROKEN)
    stalled = "kubectl apply -f mill.yaml && kubectl wait md/mill --for=condition=Stalled --timeout=1m"
    subprocess.run(["sh", "-ec", stalled], env=shell, cwd=namespace.folder, check=True, timeout=90)


def test_the_documented_script_for_ci(namespace: Namespace, shell: dict[str, str]) -> None:
    script = documented("sh", "observedGeneration")
    for text, code in ((GOOD, 0), (GOOD + BROKEN, 1), (GOOD, 0)):
        rendered(namespace, text)
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


def test_examples_for_kustomize_are_what_they_say(shared: Namespace) -> None:
    folder = Path(__file__).parents[2] / "examples" / "gitops"
    made = {
        name: yaml.safe_load(shared.run(str(shared.cluster.kubectl), "kustomize", str(folder / name)).stdout)
        for name in ("base", "overlays/staging", "overlays/production")
    }
    base, staging, production = (each["spec"]["services"] for each in made.values())
    assert [each["name"] for each in base] == ["web", "worker"]
    assert [each["image"].rpartition(":")[2] for each in staging] == ["1", "2-rc1"]
    assert [each.get("replicas", 1) for each in production] == [1, 3]
    for each in (staging, production):
        assert [service["name"] for service in each] == ["web", "worker"]
        assert {key for service in each for key in service} >= {key for service in base for key in service}
    for each in made.values():
        each["metadata"]["namespace"] = shared.name
        shared.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(each))
