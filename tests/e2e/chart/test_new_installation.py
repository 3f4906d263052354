"""A new installation with the defaults: no admin token, and `helm test` with whatever the gateway accepts."""

from collections.abc import Iterator

import pytest

from hack.cluster import Cluster
from tests.e2e.conftest import Namespace, new_namespace, wait_for
from tests.e2e.seed import LINES, SEED

from .helm import CHART
from .release import Release, first_deploy, release_in_a_namespace

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def release(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """This release, with the defaults of its values."""
    with release_in_a_namespace(cluster, tmp_path_factory.mktemp("chart")) as release:
        release.put(CHART)
        yield release


@pytest.fixture(scope="module")
def shop(cluster: Cluster, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    with new_namespace(cluster, tmp_path_factory.mktemp("shop")) as made:
        made.folder.joinpath("production.mill").write_text(SEED.replace("REGISTRY", cluster.registry))
        yield made


def left_by_helm_test(release: Release) -> list[str]:
    """Objects of `helm test` that are still there and are not being deleted."""
    kinds = "namespaces,milldeployments,pods,configmaps,serviceaccounts,roles,rolebindings"
    found = release.namespace.items(kinds, "--all-namespaces", "-l", "helm.sh/chart")
    return [
        each["metadata"]["name"]
        for each in found
        if each["metadata"].get("annotations", {}).get("helm.sh/hook") == "test"
        and "deletionTimestamp" not in each["metadata"]
    ]


def test_what_the_notes_say_is_enough_for_a_first_deploy(release: Release, shop: Namespace) -> None:
    assert release.namespace.items("secrets", "--field-selector=type=Opaque") == []
    done = first_deploy(release, shop)
    assert done.stdout.endswith(LINES), done
    assert done.code == 1, "the scenario has a service that fails"


def test_helm_test_creates_a_namespace_and_removes_it(release: Release) -> None:
    release.test()
    wait_for("all of it to go", lambda: not left_by_helm_test(release))


def test_tls_by_one_value(release: Release, shop: Namespace) -> None:
    release.put(CHART, **{"gateway.tls.create": "true", "tests.namespace": shop.name})
    made = release.namespace.get("secret", "mill-gateway-tls")["data"]
    release.test()
    assert shop.get("milldeployment", "mill-test") == {}
    release.upgrade(CHART, "--reset-then-reuse-values")
    assert release.namespace.get("secret", "mill-gateway-tls")["data"] == made, "upgrades keep it"
    assert f"export MILL_GATEWAY=https:{release.namespace.name}/mill-gateway:4400" in release.notes


def test_an_admin_token_where_no_other_is_accepted_and_its_end(release: Release) -> None:
    release.put(CHART, **{"gateway.kubernetesTokens": "false"})
    assert release.namespace.get("secret", "mill-gateway-token")
    release.test()
    release.put(CHART)
    assert "keeps the admin token of an earlier installation" in release.notes
    release.put(CHART, **{"gateway.token.create": "false"})
    assert "kubectl -n default create token deployer" in release.notes
    release.put(CHART)
    assert "admin token" not in release.notes, "the Secret is there, and no gateway used it"
