"""The chart, and services that ask for nothing, where the platform gives each namespace its user."""

import json
from pathlib import Path

import pytest

from hack.cluster import Cluster
from tests.e2e.chart.helm import CHART, render
from tests.e2e.chart.release import RESTRICTED, release_in_a_namespace
from tests.e2e.conftest import Namespace, new_namespace

from .assigned_users import LABEL, USER, refusal, users_are_assigned

pytestmark = pytest.mark.alone

FILE = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  file "/etc/web.conf" { content = "a text" }
  volume "data" {
    path      = "/data"
    size      = "1M"
    ephemeral = true
  }
}

task "once" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-exit-after", "1s", "-exit-code", "0"]
}
"""
NAMED = """
service "named" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  user  = 1000
}
"""


def users(namespace: Namespace) -> set[int]:
    """Return the users of all containers that run."""
    pods = namespace.items("pods")
    return {each["securityContext"]["runAsUser"] for pod in pods for each in pod["spec"]["containers"]}


@pytest.mark.timeout(600)
def test_the_chart_and_services_that_ask_for_nothing_run_as_the_user_of_their_namespace(
    cluster: Cluster, tmp_path: Path
) -> None:
    with (
        users_are_assigned(cluster, tmp_path),
        release_in_a_namespace(cluster, tmp_path) as release,
        new_namespace(cluster, tmp_path, prefix="assigned") as shop,
    ):
        for each in (release.namespace, shop):
            labels = (f"{LABEL}=true", *RESTRICTED)
            each.run(*cluster.kubectl_command("label", "--overwrite", "namespace", each.name, *labels))
        release.upgrade(CHART, **{"podSecurity.user": "null", "gateway.token.create": "true", "operator.settle": "1s"})
        assert users(release.namespace) == {USER}
        for pod in release.namespace.items("pods"):
            assert pod["spec"]["securityContext"]["fsGroup"] == USER

        file = shop.folder / "production.mill"
        file.write_text(FILE.replace("REGISTRY", cluster.registry))
        done = release.mill("deploy", "-f", str(file), "--namespace", shop.name)
        assert done.code == 0, done
        assert users(shop) == {USER}
        ran = release.mill("spawn", "once", "--wait", "--namespace", shop.name)
        assert ran.code == 0, ran
        template = shop.get("deployment", "web")["spec"]["template"]["spec"]
        assert "runAsUser" not in json.dumps(template), "the template leaves it to the platform"

        file.write_text(NAMED.replace("REGISTRY", cluster.registry))
        refused = release.mill("deploy", "-f", str(file), "--name", "named", "--namespace", shop.name)
        assert refused.code == 1, refused
        assert "must be in the ranges" in refused.stdout + json.dumps(shop.service_of("named", "named"))


def test_the_chart_as_it_is_would_be_refused_there() -> None:
    def refusals(*settings: str) -> list[str]:
        made = [each for each in render(*settings) if each["kind"] == "Deployment"]
        return [refusal(each["spec"]["template"]["spec"]) for each in made]

    assert all("runAsUser: Invalid value: 65532" in each for each in refusals())
    assert refusals("podSecurity.user=null") == ["", ""]
