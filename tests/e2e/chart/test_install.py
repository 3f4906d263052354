"""The chart on the real cluster: the release before is installed, upgraded to this one, taken back; then removed."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hack.cluster import Cluster
from hack.images import push_mill
from hack.install import local_processes as local
from hack.install.releases import PREVIOUS, push_release
from tests.e2e.conftest import MILL, Finished, Namespace, new_namespace, wait_for
from tests.e2e.seed import LINES, SEED

from .helm import CHART, helm

pytestmark = pytest.mark.alone

CRD = "milldeployments.mill.dev"
RESTRICTED = ("pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/warn=restricted")


LASTING = {
    "apiVersion": "mill.dev/v1alpha1",
    "kind": "MillDeployment",
    "metadata": {"name": "lasting"},
    "spec": {
        "services": [{"name": "lasting", "image": "REGISTRY/web:1", "port": 8080, "cpu": "20m"}],
        "tasks": [{"name": "long", "image": "REGISTRY/web:1", "timeout": "900000h"}],
    },
}
"""What 0.1.0 takes, and no later release: a duration of more than a hundred years."""


class Release:
    """A release called `mill` in a namespace of its own, and what its notes tell people to type."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.notes = ""
        registry = namespace.cluster.registry
        self.images = {CHART: push_mill(registry), PREVIOUS.chart: push_release(PREVIOUS, registry)}

    def helm(self, *arguments: str) -> str:
        return helm(*arguments, "--namespace", self.namespace.name, kubeconfig=self.namespace.cluster.kubeconfig)

    def put(self, chart: Path, **settings: str) -> None:
        """Install or upgrade, and wait until all of it is ready."""
        repository, _, digest = self.images[chart].partition("@")
        image = {"image.repository": repository, "image.digest": digest}
        values = {**image, "workloads.restricted": "true", **settings}
        chosen = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        # The development cluster has the CRD already, from elsewhere.
        options = ("--install", "--take-ownership", "--force-conflicts", "--wait", "--timeout", "2m")
        self.notes = self.helm("upgrade", "mill", str(chart), *options, *chosen)

    def mill(self, *arguments: str) -> Finished:
        """Type what the notes say, then a command of mill."""
        exports = [line for line in self.notes.splitlines() if line.strip().startswith("export ")]
        assert len(exports) == 3
        script = "\n".join([*exports, 'exec "$@"'])
        environment = {**os.environ, **self.namespace.cluster.environment()}
        for each in ("MILL_ADDRESS", "MILL_CONTEXT", "MILL_TOKEN"):
            environment.pop(each, None)
        done = subprocess.run(
            ["bash", "-c", script, "bash", str(MILL), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def pods(self) -> list[str]:
        """Uids of the components' pods."""
        return sorted(each["metadata"]["uid"] for each in self.namespace.items("pods"))


def chart_label(chart: Path) -> str:
    """The label by which an object says which version of the chart made it."""
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    return f"{about['name']}-{about['version']}"


@pytest.fixture(scope="module")
def release(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The release before this one, installed. Operator and gateway of other tests are away meanwhile."""
    local.stop()
    try:
        with new_namespace(cluster, tmp_path_factory.mktemp("chart")) as made:
            made.run(*cluster.kubectl_command("label", "namespace", made.name, *RESTRICTED))
            release = Release(made)
            release.put(PREVIOUS.chart)
            yield release
            if release.helm("list", "--short"):
                release.helm("uninstall", "mill", "--wait")
    finally:
        local.start(cluster)


@pytest.fixture(scope="module")
def shop(cluster: Cluster, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """Another namespace, with the seed's file deployed by the installed gateway."""
    with new_namespace(cluster, tmp_path_factory.mktemp("shop")) as made:
        made.run(*cluster.kubectl_command("label", "namespace", made.name, *RESTRICTED))
        file = made.folder / "production.mill"
        file.write_text(SEED.replace("REGISTRY", cluster.registry))
        done = release.mill("deploy", "-f", str(file), "--namespace", made.name)
        assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)
        made.kubectl("apply", "-f", "-", stdin=json.dumps(LASTING).replace("REGISTRY", cluster.registry))
        wait_for("its verdict", lambda: made.condition("Ready", "lasting").get("status") == "True")
        yield made


def test_the_seeds_scenario_through_the_gateway_in_the_cluster(release: Release, shop: Namespace) -> None:
    status = release.mill("status", "--namespace", shop.name)
    assert "image pull failed: tag not found" in status.stdout
    assert len(shop.ready_pods("web")) == 1
    owner = shop.get("deployment", "web")["metadata"]["labels"]["app.kubernetes.io/managed-by"]
    assert owner.startswith("mill")


def test_every_pod_is_restricted_and_two_of_each_are_ready(release: Release, shop: Namespace) -> None:
    for component in ("operator", "gateway"):
        deployment = release.namespace.get("deployment", f"mill-{component}")
        assert deployment["status"]["readyReplicas"] == 2
    for each in (release.namespace, shop):  # both refuse any other pod
        assert "violates PodSecurity" not in each.kubectl("get", "events")
        labels = each.get("namespace", each.name)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    (lease,) = release.namespace.items("leases", "--field-selector=metadata.name=mill-operator")
    assert lease["spec"]["holderIdentity"].startswith("mill-operator-")


def replaced(shop: Namespace, service: str, old: dict[str, str]) -> dict[str, str]:
    """Wait until a service has other ready pods, and none of the old ones. At each moment one is ready. Return them."""

    def new_pods_alone() -> dict[str, str]:
        pods = shop.ready_pods(service)
        assert pods, f"{service} has lost its pods"
        return {} if set(pods) & set(old) else pods

    found: dict[str, str] = wait_for(f"new pods of {service} alone", new_pods_alone)
    return found


def common_labels(shop: Namespace, service: str) -> set[str]:
    """Return the labels of a service's pods that are not Mill's or Kubernetes' own."""
    labels = {name for pod in shop.pods(service) for name in pod["metadata"]["labels"]}
    return {name for name in labels if name.startswith("app.kubernetes.io/")}


def test_an_upgrade_and_back_restarts_services_once_and_leaves_the_token(release: Release, shop: Namespace) -> None:
    """This release changes pod templates: mill itself updates the services, and back."""
    web, token = shop.ready_pods("web"), release.namespace.get("secret", "mill-gateway-token")["data"]
    before = release.pods()
    release.put(CHART)
    wait_for("the new pods alone", lambda: len(release.pods()) == 4 and not set(release.pods()) & set(before))
    assert shop.get("crd", CRD)["metadata"]["labels"]["helm.sh/chart"] == chart_label(CHART)
    assert release.mill("watch", "--namespace", shop.name).stdout == LINES
    updated = replaced(shop, "web", web)
    wait_for("its end", lambda: shop.service("web").get("settledAt"))
    assert shop.service("web")["updatedBy"].startswith("mill ")
    assert common_labels(shop, "web") == {"app.kubernetes.io/managed-by"}
    assert release.mill("restart", "web", "--namespace", shop.name).code == 0
    restarted = replaced(shop, "web", updated)
    release.helm("rollback", "mill", "1", "--wait", "--timeout", "2m")
    assert shop.get("crd", CRD)["metadata"]["labels"]["helm.sh/chart"] == chart_label(PREVIOUS.chart)
    assert release.mill("status", "--namespace", shop.name).code == 0
    back = replaced(shop, "web", restarted)
    assert release.mill("restart", "web", "--namespace", shop.name).code == 0, "the release before reads our status"
    again = replaced(shop, "web", back)
    assert release.namespace.get("secret", "mill-gateway-token")["data"] == token
    release.put(CHART)
    replaced(shop, "web", again)


def test_what_the_release_before_accepted_goes_on_with_a_warning(release: Release, shop: Namespace) -> None:
    release.put(CHART)
    (warning,) = wait_for("the warning", lambda: shop.status("lasting").get("warnings"))
    assert "900000h" in warning["message"]
    assert shop.condition("Ready", "lasting")["status"] == "True"
    wait_for("the update of its template", lambda: shop.service_of("lasting", "lasting").get("updatedBy"))
    wait_for("its end", lambda: shop.service_of("lasting", "lasting").get("settledAt"))
    pods = shop.ready_pods("lasting")
    assert release.mill("restart", "lasting", "--name", "lasting", "--namespace", shop.name).code == 0
    wait_for("new pods", lambda: (found := shop.ready_pods("lasting")) and not set(found) & set(pods))
    assert shop.condition("Ready", "lasting")["status"] == "True"
    change = {"spec": {"tasks": [{**LASTING["spec"]["tasks"][0], "timeout": "900001h"}]}}  # type: ignore[index]
    command = shop.cluster.kubectl_command("--namespace", shop.name, "patch", "milldeployment", "lasting")
    refused = shop.run(*command, "--type=merge", "-p", json.dumps(change), check=False)
    assert refused.code != 0
    assert "longer than 100 years" in refused.stderr


def test_helm_test_runs_the_seeds_scenario(release: Release, shop: Namespace) -> None:
    release.put(CHART, **{"tests.namespace": shop.name})
    told = release.helm("test", "mill", "--logs", "--timeout", "2m")
    assert re.search(r"Phase: +Succeeded", told)
    wait_for("what it deployed to go", lambda: not shop.items("deployments", "-l", "mill.dev/deployment=mill-test"))
    assert shop.get("milldeployment", "mill-test") == {}


def test_a_node_that_is_drained_leaves_one_of_each(release: Release) -> None:
    budgets = release.namespace.items("poddisruptionbudgets")
    assert {each["metadata"]["name"]: each["status"]["disruptionsAllowed"] for each in budgets} == {
        "mill-gateway": 1,
        "mill-operator": 1,
    }


def test_one_namespace_only(release: Release, shop: Namespace, cluster: Cluster, tmp_path: Path) -> None:
    release.put(CHART, namespace=shop.name)
    roles = release.namespace.run(*cluster.kubectl_command("get", "clusterroles", "-o", "json")).stdout
    named = [each["metadata"]["name"] for each in json.loads(roles)["items"]]
    ours = [each for each in named if each.startswith(f"{release.namespace.name}-mill-")]
    assert sorted(each.removeprefix(f"{release.namespace.name}-mill-") for each in ours) == [
        "gateway-nodes",
        "gateway-reviews",
        "operator-nodes",
    ]
    assert release.mill("status").code == 0
    elsewhere = release.mill("status", "--namespace", "default")
    assert elsewhere.code == 1
    assert shop.name in elsewhere.stderr


def test_what_is_deployed_outlives_mill(release: Release, shop: Namespace) -> None:
    web = shop.ready_pods("web")
    told = release.helm("uninstall", "mill", "--wait")
    assert CRD in told
    assert shop.get("crd", CRD)["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert shop.ready_pods("web") == web
    assert shop.status()["services"]
    shop.kubectl("delete", "milldeployments", "--all", "--timeout=60s")
    wait_for("its objects to go", lambda: not shop.items("deployments"))
