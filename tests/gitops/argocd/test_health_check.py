"""The health check that the chart brings: what it says of recorded statuses, and how it gets to Argo CD."""

import json
from pathlib import Path

import yaml

from hack.cluster import Cluster
from hack.gitops import argocd
from hack.gitops.argocd import ArgoCD
from tests.e2e.chart.helm import CHART, helm, render
from tests.e2e.conftest import new_namespace

CUSTOMIZATIONS = CHART / "files/argocd/resource_customizations/mill.dev/MillDeployment"
KEY = "resource.customizations.health.mill.dev_MillDeployment"


def test_it_says_what_its_test_cases_say(argo: ArgoCD) -> None:
    cases = yaml.safe_load((CUSTOMIZATIONS / "health_test.yaml").read_text())["tests"]
    assert {each["inputPath"] for each in cases} == {
        f"testdata/{file.name}" for file in (CUSTOMIZATIONS / "testdata").iterdir()
    }
    for case in cases:
        wanted = case["healthStatus"]
        assert argo.health(CUSTOMIZATIONS / case["inputPath"]) == (wanted["status"], wanted["message"]), case


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
