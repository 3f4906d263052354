"""The chart on the real cluster: the release before is installed, upgraded to this one, taken back; then removed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hack.cluster import Cluster
from hack.commands import CommandFailed
from hack.install.releases import PREVIOUS
from tests.e2e.conftest import Namespace, new_namespace, wait_for
from tests.e2e.seed import LINES, SEED

from .helm import CHART
from .release import RESTRICTED, Release, release_in_a_namespace

pytestmark = pytest.mark.alone

CRD = "milldeployments.mill.dev"

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


def chart_label(chart: Path) -> str:
    """The label by which an object says which version of the chart made it."""
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    return f"{about['name']}-{about['version']}"


@pytest.fixture(scope="module")
def release(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The release before this one, installed."""
    with release_in_a_namespace(cluster, tmp_path_factory.mktemp("chart")) as release:
        release.put(PREVIOUS.chart)
        yield release


@pytest.fixture(scope="module")
def shop(cluster: Cluster, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """Another namespace, with the seed's file deployed by the installed gateway."""
    with new_namespace(cluster, tmp_path_factory.mktemp("shop")) as made:
        made.run(*cluster.kubectl_command("label", "namespace", made.name, *RESTRICTED))
        file = made.folder / "production.mill"
        file.write_text(SEED.replace("REGISTRY", cluster.registry))
        done = release.mill("deploy", "-f", str(file), "--namespace", made.name)
        assert (done.stdout, done.code) == (LINES, 1), done.stderr
        assert "web:missing: not found" in done.stderr, "what the registry says, for the log of a CI"
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


def admin_token(release: Release) -> dict[str, str]:
    """Return the data of the Secret that the release before created."""
    data: dict[str, str] = release.namespace.get("secret", "mill-gateway-token")["data"]
    return data


def test_an_upgrade_restarts_services_once_and_leaves_the_token(release: Release, shop: Namespace) -> None:
    """This release changes pod templates: mill itself updates the services."""
    web, token = shop.ready_pods("web"), admin_token(release)
    before = release.pods()
    with pytest.raises(CommandFailed, match="upgrade with --reset-then-reuse-values"):
        release.upgrade(CHART, "--reuse-values")
    assert release.pods() == before
    release.upgrade(CHART, "--reset-then-reuse-values")
    assert "keeps the admin token of an earlier installation" in release.notes
    wait_for("the new pods alone", lambda: len(release.pods()) == 4 and not set(release.pods()) & set(before))
    assert shop.get("crd", CRD)["metadata"]["labels"]["helm.sh/chart"] == chart_label(CHART)
    assert release.mill("watch", "--namespace", shop.name).stdout == LINES
    updated = replaced(shop, "web", web)
    wait_for("its end", lambda: shop.service("web").get("settledAt"))
    assert shop.service("web")["updatedBy"].startswith("mill ")
    assert common_labels(shop, "web") == {"app.kubernetes.io/managed-by"}
    assert release.mill("restart", "web", "--namespace", shop.name).code == 0
    replaced(shop, "web", updated)
    assert admin_token(release) == token


def test_a_rollback_restarts_services_once_and_leaves_the_token(release: Release, shop: Namespace) -> None:
    restarted, token = shop.ready_pods("web"), admin_token(release)
    release.helm("rollback", "mill", "1", "--wait", "--timeout", "2m")
    assert shop.get("crd", CRD)["metadata"]["labels"]["helm.sh/chart"] == chart_label(PREVIOUS.chart)
    assert release.mill("status", "--namespace", shop.name).code == 0
    back = replaced(shop, "web", restarted)
    assert release.mill("restart", "web", "--namespace", shop.name).code == 0, "the release before reads our status"
    again = replaced(shop, "web", back)
    assert admin_token(release) == token
    release.test()
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
    release.test()
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
