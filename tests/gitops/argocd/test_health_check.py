"""The health check that the chart brings: what it says of recorded statuses, and how it gets to Argo CD."""

import json
from pathlib import Path

import pytest
import yaml

from hack.cluster import Cluster
from hack.gitops import argocd
from hack.gitops.argocd import ArgoCD
from tests.e2e.chart.helm import CHART, helm, render
from tests.e2e.conftest import new_namespace

from .conftest import CUSTOMIZATIONS

KEY = "resource.customizations.health.mill.dev_MillDeployment"


def test_it_says_what_its_test_cases_say(argo: ArgoCD) -> None:
    cases = yaml.safe_load((CUSTOMIZATIONS / "health_test.yaml").read_text())["tests"]
    assert {each["inputPath"] for each in cases} == {
        f"testdata/{file.name}" for file in (CUSTOMIZATIONS / "testdata").iterdir()
    }
    for case in cases:
        wanted = case["healthStatus"]
        assert argo.health(CUSTOMIZATIONS / case["inputPath"]) == (wanted["status"], wanted["message"]), case


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        pytest.param(None, "the operator has not reconciled this generation yet", id="no conditions"),
        pytest.param([], "the condition Ready is missing", id="no condition"),
    ],
)
def test_it_takes_a_status_that_the_operator_never_writes(
    argo: ArgoCD, tmp_path: Path, conditions: list[str] | None, message: str
) -> None:
    """Of another writer's: not healthy, and no error of Lua. kstatus would see nothing wrong, so it is no test case."""
    found = yaml.safe_load((CUSTOMIZATIONS / "testdata/healthy.yaml").read_text())
    found["status"] = {"observedGeneration": found["metadata"]["generation"]}
    if conditions is not None:
        found["status"]["conditions"] = conditions
    file = tmp_path / "found.yaml"
    file.write_text(yaml.safe_dump(found))
    assert argo.health(file) == ("Progressing", message)


def test_the_notes_command_merges_it_into_the_settings(argo: ArgoCD, cluster: Cluster, tmp_path: Path) -> None:
    chosen = "argocd.healthCheck=true"
    with new_namespace(cluster, tmp_path, prefix="e2e-argo") as release:
        settings = cluster.kubectl_command(
            "--namespace", argocd.NAMESPACE, "get", "configmap", "argocd-cm", "-o", "json"
        )
        before = json.loads(release.run(*settings).stdout)["data"]
        remove = ("--type=json", "-p", json.dumps([{"op": "remove", "path": f"/data/{KEY}"}]))
        patch = cluster.kubectl_command("--namespace", argocd.NAMESPACE, "patch", "configmap", "argocd-cm", *remove)
        release.run(*patch)

        rendered = render(chosen, namespace=release.name)
        (brought,) = [each for each in rendered if each["metadata"]["name"] == "mill-argocd-health"]
        release.kubectl("apply", "-f", "-", stdin=json.dumps(brought))
        dry = helm("install", "mill", str(CHART), "--namespace", release.name, "--dry-run=client", "--set", chosen)
        (command,) = [line for line in dry.splitlines() if line.strip().startswith("kubectl -n argocd patch ")]
        release.run("bash", "-c", command)

        assert json.loads(release.run(*settings).stdout)["data"] == before
    assert before[KEY] == argocd.health_check()
