"""The NetworkPolicies of the chart, enforced by kube-router: what they forbid is refused, what is needed works."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster import Cluster
from hack.controllers import kube_router
from tests.e2e.chart.helm import CHART
from tests.e2e.chart.release import Release, release_in_a_namespace
from tests.e2e.conftest import Namespace, new_namespace, wait_for
from tests.e2e.seed import LINES, SEED

pytestmark = pytest.mark.skipif(not kube_router.is_apart(), reason="needs a cluster apart: make test-policies")

FRIEND = {"team": "friend"}
FETCH = """
import sys, time, urllib.request
for attempt in range(8):
    try:
        print(urllib.request.urlopen(sys.argv[1], timeout=3).status)
        sys.exit(0)
    except OSError as error:
        print(attempt, error)
        time.sleep(1)
sys.exit(1)
"""
DIAL = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"


@pytest.fixture(scope="module")
def release(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """Mill, installed by its chart, whose gateway only pods with a label may reach; and a network that enforces it."""
    kube_router.up(cluster)
    try:
        with release_in_a_namespace(cluster, tmp_path_factory.mktemp("chart")) as release:
            (label,) = FRIEND.items()
            peer = f"networkPolicies.gatewayFrom[0].podSelector.matchLabels.{label[0]}"
            release.put(CHART, **{peer: label[1], "operator.settle": "1s", "gateway.token.create": "true"})
            yield release
    finally:
        print(kube_router.log()[-5000:])
        kube_router.down(cluster)


def address(release: Release, component: str) -> str:
    """Return the address of a pod of a component."""
    selector = f"app.kubernetes.io/name=mill-{component}"
    return str(release.namespace.items("pods", "-l", selector)[0]["status"]["podIP"])


def fetches(release: Release, namespace: Namespace, url: str, labels: dict[str, str] | None = None) -> bool:
    """Whether a new pod of a namespace gets an answer: at once, or when its address has become known to the network."""
    name = f"client-{secrets.token_hex(4)}"
    context = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "client",
        "image": release.images[CHART],
        "command": ["python", "-c", FETCH, url],
        "securityContext": context,
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    ended = wait_for(
        "its end", lambda: phase(namespace, name) in ("Succeeded", "Failed") and phase(namespace, name), 120
    )
    print(name, url, namespace.kubectl("logs", name))
    namespace.kubectl("delete", "pod", name, "--wait=false")
    return bool(ended == "Succeeded")


def phase(namespace: Namespace, name: str) -> str:
    return str(namespace.get("pod", name).get("status", {}).get("phase", ""))


def dials(release: Release, component: str, host: str, port: int) -> bool:
    """Whether a component's pod can open a connection."""
    command = ("exec", f"deploy/mill-{component}", "--", "python", "-c", DIAL, host, str(port))
    argv = release.namespace.cluster.kubectl_command("--namespace", release.namespace.name, *command)
    return release.namespace.run(*argv, check=False).code == 0


def test_the_gateway_is_reached_by_those_that_are_named_alone(release: Release) -> None:
    url = f"http://mill-gateway.{release.namespace.name}.svc:4400/healthz"
    assert fetches(release, release.namespace, url, FRIEND)
    assert not fetches(release, release.namespace, url), "a pod without the label"


def test_pods_of_other_namespaces_with_the_same_label_are_refused(
    release: Release, cluster: Cluster, tmp_path: Path
) -> None:
    url = f"http://{address(release, 'gateway')}:4400/healthz"
    with new_namespace(cluster, tmp_path) as other:
        assert not fetches(release, other, url, FRIEND)
        assert fetches(release, other, f"http://{address(release, 'operator')}:4401/metrics"), "metrics are for all"


def test_components_reach_the_api_server_and_nothing_else(release: Release) -> None:
    for component, other, port in (("operator", "gateway", 4400), ("gateway", "operator", 4401)):
        assert dials(release, component, "kubernetes.default.svc", 443)
        assert not dials(release, component, address(release, other), port), "no port of another program"


def test_the_seeds_scenario_and_helm_test_pass(release: Release, cluster: Cluster, tmp_path: Path) -> None:
    with new_namespace(cluster, tmp_path) as shop:
        file = shop.folder / "production.mill"
        file.write_text(SEED.replace("REGISTRY", cluster.registry))
        done = release.mill("deploy", "-f", str(file), "--namespace", shop.name)
        assert (done.stdout, done.code) == (LINES, 1), done.stderr
    release.test()
