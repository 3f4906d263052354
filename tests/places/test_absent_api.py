"""An aggregated API whose server is away: the API server answers 503 for it, also to those who list all APIs."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hack.cluster import Cluster
from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.faults.operator_process import OperatorProcess
from tests.e2e.gateway.process import ready_gateway
from tests.e2e.seed import LINES, SEED

pytestmark = pytest.mark.alone

ABSENT = ("v1.absent.mill.test", "v1beta1.metrics.k8s.io")
"""One that nobody knows, and the one from which the gateway reads usage."""
USAGE_SECONDS = 10.0


def api_service(name: str) -> dict[str, object]:
    """Return an API whose Service does not exist."""
    version, _, group = name.partition(".")
    spec = {
        "group": group,
        "version": version,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"name": "absent", "namespace": "default"},
    }
    about = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}}
    return {**about, "spec": spec}


@contextmanager
def broken(namespace: Namespace) -> Iterator[None]:
    """Have these APIs registered and away while the block runs."""
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": [api_service(each) for each in ABSENT]})
    namespace.kubectl("apply", "-f", "-", stdin=items)
    try:
        for each in ABSENT:
            namespace.kubectl("wait", "--for=condition=Available=False", f"apiservice/{each}", "--timeout=30s")
        yield
    finally:
        namespace.kubectl("delete", "apiservice", *ABSENT, "--ignore-not-found")


def test_both_start_and_work_and_what_is_removed_goes(
    namespace: Namespace, cluster: Cluster, operator: OperatorProcess, tmp_path: Path
) -> None:
    with broken(namespace):
        operator.start()
        with ready_gateway(cluster, tmp_path) as gateway:
            leaving = Namespace(f"leaving-{namespace.name}", cluster, tmp_path, gateway.url)
            leaving.run(*cluster.kubectl_command("create", "namespace", leaving.name))
            done = leaving.deploy(SEED)
            assert (done.stdout, done.code) == (LINES, 1), done.stderr
            assert leaving.mill("status").code == 0
            began = time.monotonic()
            assert gateway.get("/v1/metrics").status_code == 200
            assert time.monotonic() - began < USAGE_SECONDS, "figures of usage are left out"

            # Kubernetes keeps the namespace itself, because it cannot know whether that API has something in it.
            leaving.run(*cluster.kubectl_command("delete", "namespace", leaving.name, "--wait=false"))
            wait_for("what is in it to go", lambda: leaving.items("milldeployments,deployments,pods") == [])
            assert "Traceback" not in operator.log + gateway.log
    wait_for("the namespace to go", lambda: leaving.get("namespace", leaving.name) == {}, seconds=120)
