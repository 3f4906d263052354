"""`make cluster-up` where Docker runs: it uses kind, as it is, and the demo and end-to-end tests run there."""

from collections.abc import Iterator

import pytest

from hack import versions
from hack.cluster import registry
from hack.cluster.kind import NODE
from hack.commands import CommandFailed
from hack.docker.kind.machine import Machine, machine
from hack.images.mill import build_mill
from hack.images.mill.application import version
from hack.toolchain.build import CRANE, HELM, build
from hack.toolchain.go import ARCHITECTURE

PYTHON = ".venv/bin/python"
SECONDS = 900
pytestmark = pytest.mark.timeout(2 * SECONDS)

SLICE = (
    "tests/e2e/test_partial_failure.py",
    "tests/e2e/test_update.py",
    "tests/e2e/test_removal.py",
)
"""The scenario of the seed, with its missing tag; updates; removals."""
CHART = "tests/e2e/chart/test_new_installation.py"
"""With `mill` that reaches the gateway through the API server, as the notes of the chart say."""


@pytest.fixture(scope="module")
def kind() -> Iterator[Machine]:
    """A machine with Docker and kind, and without a way to the outside: what is downloaded or built comes first."""
    build([CRANE, HELM])
    build_mill()
    with machine() as found:
        yield found


@pytest.fixture(scope="module")
def cluster(kind: Machine) -> Machine:
    """The same with its cluster started."""
    kind.run(PYTHON, "-m", "hack.cluster", "up", seconds=SECONDS)
    kind.reach_pods()
    return kind


def test_docker_is_reason_enough_for_kind(cluster: Machine) -> None:
    assert "kind-mill-dev" in cluster.run(PYTHON, "-m", "hack.cluster", "env", seconds=60)
    assert "cluster: ready" in cluster.run(PYTHON, "-m", "hack.cluster", "status", seconds=60)
    containers = cluster.engine.docker("ps", "--format", "{{.Names}}").split()
    assert sorted(containers) == [NODE, "mill-dev-registry"]
    facts = "jsonpath={.items[*].status.nodeInfo['kubeletVersion','containerRuntimeVersion']}"
    kubelet, runtime = cluster.kubectl("get", "nodes", "--output", facts).split()
    assert kubelet == f"v{versions.KUBERNETES}"
    assert runtime.startswith(f"containerd://{versions.CONTAINERD_CHOICES[-1]}")
    assert "already exists" not in cluster.run(PYTHON, "-m", "hack.cluster", "up", seconds=SECONDS)


def test_the_demo_runs(cluster: Machine) -> None:
    shown = cluster.run(PYTHON, "-m", "hack.demo", seconds=SECONDS)
    assert f"  web:    scheduled on {NODE}\n  web:    healthy\n" in shown
    assert "broken: failed: image pull failed: tag not found" in shown
    assert "The pod of the last good version still answers." in shown
    cluster.run(PYTHON, "-m", "hack.install.local_processes", "stop", seconds=60)


def test_an_image_that_kind_loads_needs_no_registry(cluster: Machine) -> None:
    """As docs/install.md says it; what `docker build` makes is compared with this image by other tests.

    Before the chart's tests: of an image that the kubelet has pulled itself, Kubernetes 1.35 lets a pod that names it
    otherwise pull it again, to see whether the pod may have it.
    """
    name = f"mill:{version()}"
    cluster.run(PYTHON, "-m", "hack.images", "mill", "loaded", "--architecture", ARCHITECTURE, seconds=300)
    cluster.engine.docker("pull", f"{registry.ADDRESS}/mill:loaded")
    cluster.engine.docker("tag", f"{registry.ADDRESS}/mill:loaded", name)
    print(cluster.run("kind", "load", "docker-image", name, "--name", "mill-dev", seconds=300))
    helm = (str(HELM.path), "--kubeconfig", str(cluster.kubeconfig), "--namespace", "mill-loaded")
    # The CRD is there from the tests before.
    options = ("--create-namespace", "--take-ownership", "--force-conflicts", "--wait", "--timeout", "3m")
    try:
        cluster.run(*helm, "install", "mill", "charts/mill", *options, seconds=300)
    except CommandFailed:
        print(cluster.kubectl("--namespace", "mill-loaded", "get", "pods,events", "--output", "wide"))
        raise
    places = "jsonpath={.items[*].spec.containers[*].image}"
    images = cluster.kubectl("--namespace", "mill-loaded", "get", "pods", "--output", places).split()
    assert set(images) == {name}
    cluster.run(*helm, "uninstall", "mill", "--wait", seconds=300)


@pytest.mark.parametrize("files", [SLICE, (CHART,)], ids=["services", "chart"])
def test_end_to_end_tests_pass(cluster: Machine, files: tuple[str, ...]) -> None:
    report = cluster.run(PYTHON, "-m", "pytest", "-q", "-rA", "--timeout", "300", *files, seconds=SECONDS)
    assert all(f"PASSED {file}::" in report for file in files)
    assert "SKIPPED" not in report


def test_down_leaves_nothing(cluster: Machine) -> None:
    folder = cluster.kubeconfig.parent
    assert cluster.kubeconfig.exists()
    cluster.run(PYTHON, "-m", "hack.cluster", "down", seconds=300)
    assert cluster.engine.docker("ps", "--all", "--quiet") == ""
    assert cluster.engine.docker("volume", "ls", "--quiet") == ""
    assert not folder.exists()
