"""An installation where nothing but one registry can be reached: the page's steps, and what pods run as and with.

The cluster apart has no way to the outside. Its registry has two names: `localhost`, which the cluster is told, and
`127.0.0.1`, which stands for the registry of the outside.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from hack import images
from hack.cluster import Cluster, up
from hack.cluster.runtime import client, sockets
from hack.commands import run
from hack.controllers.kube_router import is_apart
from hack.toolchain.build import CRANE, HELM, build
from mill_kube.rights import SYSTEM_NAMESPACE
from tests.e2e.conftest import MILL, Finished, Namespace, new_namespace
from tests.support.pages.blocks import ROOT, Step, blocks

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not is_apart(), reason="needs a cluster apart: make test-places"),
]

PAGE = ROOT / "docs/install.md"
OUTSIDE, INSIDE = "registry.example", "registry.internal"
"""The two registries in the page."""
ROOTS = "/var/run/secrets/kubernetes.io/serviceaccount"
FILE = """
service "web" {
  image = "INSIDE/web:1"
  port  = 8080
  cpu   = 0.02
}
"""
TOUCH = """
import pathlib, sys
for each in sys.argv[1:]:
    try:
        pathlib.Path(each, "x").touch()
    except OSError as error:
        print(error.strerror)
"""


class Shell:
    """A shell in which the page's commands work, with the names of the registries here."""

    def __init__(self, cluster: Cluster, registry: str) -> None:
        self.names = {OUTSIDE: cluster.registry, INSIDE: registry}
        build([CRANE, HELM])
        folders = (CRANE.path.parent, HELM.path.parent, cluster.kubectl.parent, MILL.parent)
        path = ":".join([*map(str, folders), os.environ["PATH"]])
        self._environment = {**os.environ, **cluster.environment(), "PATH": path}

    def here(self, text: str) -> str:
        """Return a text of the page with the names here."""
        for name, address in self.names.items():
            text = text.replace(name, address)
        return text

    def type(self, script: str) -> Finished:
        """Run a script at the root of the repository."""
        done = subprocess.run(
            ["bash", "-c", self.here(script)],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """A cluster that has never had Mill, and the images that users copied: the sample's."""
    found = up()
    build([CRANE])
    images.push_mill(found.registry)
    sample = images.push_sample(found.registry, "1")
    run(CRANE.path, "copy", sample, f"{found.registry}/platform/web:1")
    return found


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    """The commands of the page's section."""
    sections = [block for block in blocks(PAGE) if "crane copy" in "\n".join(block.lines)]
    assert len(sections) == 1
    return sections[0].steps


@pytest.fixture(scope="module")
def shell(cluster: Cluster, steps: list[Step]) -> Shell:
    """A shell after all steps but the last, which tests the installation."""
    port = cluster.registry.rpartition(":")[2]
    made = Shell(cluster, f"localhost:{port}")
    for step in steps[:-1]:
        done = made.type(step.command)
        assert done.code == 0, (step.command, done)
        if step.output:
            assert done.stdout.splitlines() == [made.here(line) for line in step.output]
    return made


@pytest.fixture(scope="module")
def mill(cluster: Cluster, shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Namespace:
    """The namespace of the installation, with everything ready."""
    space = Namespace(SYSTEM_NAMESPACE, cluster, tmp_path_factory.mktemp("mill"))
    for each in ("operator", "gateway"):
        space.kubectl("rollout", "status", f"deployment/mill-{each}", "--timeout=120s")
    return space


@pytest.fixture(scope="module")
def shop(
    cluster: Cluster, shell: Shell, mill: Namespace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Namespace]:
    """A namespace with a service from that registry, deployed as the notes of the chart say."""
    with new_namespace(cluster, tmp_path_factory.mktemp("shop")) as made:
        notes = shell.type(f"helm get notes mill --namespace {mill.name}").stdout
        lines = [
            each.strip() for each in notes.splitlines() if each.strip().startswith(("kubectl -n default c", "export "))
        ]
        assert len(lines) >= 5, notes
        file = made.folder / "production.mill"
        file.write_text(FILE.replace("INSIDE", f"{shell.names[INSIDE]}/platform"))
        script = "\n".join(["set -e", *lines, 'mill deploy -f "$FILE" --namespace "$SHOP"'])
        script = script.replace("$FILE", str(file)).replace("$SHOP", made.name)
        done = shell.type(script.replace("-n default", f"-n {made.name}").replace("=default:", f"={made.name}:"))
        assert done.code == 0, done
        assert "  web: healthy\n" in done.stdout
        yield made


def containers(space: Namespace) -> list[dict[str, Any]]:
    pods = [each["spec"] for each in space.items("pods")]
    return [each for pod in pods for each in (*pod["containers"], *pod.get("initContainers", ()))]


def test_every_image_comes_from_the_one_registry(
    cluster: Cluster, shell: Shell, mill: Namespace, shop: Namespace, steps: list[Step]
) -> None:
    tested = shell.type(steps[-1].command)
    assert tested.code == 0, tested
    assert "Succeeded" in tested.stdout

    ours = f"{shell.names[INSIDE]}/platform/"
    found = [each["image"] for space in (mill, shop) for each in containers(space)]
    assert len(found) >= 5, "two operators, two gateways and a service"
    assert [each for each in found if not each.startswith(ours)] == []
    events = json.loads(run(*cluster.kubectl_command("get", "events", "--all-namespaces", "-o", "json")))["items"]
    pulls = [each["message"] for each in events if each["reason"] in ("Pulling", "Pulled")]
    assert any(
        each["involvedObject"]["namespace"] == SYSTEM_NAMESPACE for each in events if each["reason"] == "Pulling"
    )
    assert [each for each in pulls if ours not in each] == [], "of hooks and of what `helm test` deploys, too"


def test_the_node_has_nothing_of_elsewhere(shell: Shell, shop: Namespace) -> None:
    (socket,) = sockets()
    listed = run(client(), "--address", socket, "--namespace", "k8s.io", "images", "ls", "-q").split()
    names = [each for each in listed if not each.startswith("sha256:")]
    assert any(each.startswith(f"{shell.names[INSIDE]}/platform/mill") for each in names)
    pause = [each for each in names if "/mill-dev/pause" in each]
    assert [each for each in names if each not in pause and not each.startswith(shell.names[INSIDE])] == []


def test_pods_of_mill_write_nothing_and_have_tokens_that_are_replaced(mill: Namespace) -> None:
    pods = [each for each in mill.items("pods") if each["status"]["phase"] == "Running"]
    assert len(pods) == 4
    for pod in pods:
        spec = pod["spec"]
        (container,) = spec["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert all(each["readOnly"] for each in container["volumeMounts"])
        (mounted,) = [each for each in container["volumeMounts"] if each["mountPath"] == ROOTS]
        (volume,) = [each for each in spec["volumes"] if each["name"] == mounted["name"]]
        (token,) = [
            each["serviceAccountToken"] for each in volume["projected"]["sources"] if "serviceAccountToken" in each
        ]
        assert token["expirationSeconds"] <= 3607
        name = pod["metadata"]["name"]
        printed = mill.kubectl("exec", name, "--", "python", "-c", TOUCH, "/", "/opt", "/tmp", ROOTS)
        assert printed.splitlines() == ["Read-only file system"] * 4


def test_pods_of_services_have_no_token(shop: Namespace) -> None:
    (pod,) = shop.pods("web")
    assert pod["spec"]["automountServiceAccountToken"] is False
    (container,) = pod["spec"]["containers"]
    assert container.get("volumeMounts", []) == []
    assert pod["spec"].get("volumes", []) == []
