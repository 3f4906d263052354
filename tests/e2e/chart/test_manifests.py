"""`kubectl apply -k deploy/`: the same as the chart, for whoever has no Helm."""

import re
from pathlib import Path

import yaml

from hack.manifests import to_yaml
from tests.e2e.conftest import Namespace

from .helm import render

DEPLOY = Path(__file__).parents[3] / "deploy"


def test_they_are_up_to_date() -> None:
    assert (DEPLOY / "mill.yaml").read_text() == to_yaml(), "run `make manifests`"


def test_they_are_what_the_chart_renders(shared: Namespace) -> None:
    text = shared.run(str(shared.cluster.kubectl), "kustomize", str(DEPLOY)).stdout
    plain = {(each["kind"], each["metadata"]["name"]) for each in yaml.safe_load_all(text)}
    charted = [each for each in render("gateway.token.create=false") if "test" not in each["metadata"]["name"]]
    assert plain == {("Namespace", "mill-system")} | {(each["kind"], each["metadata"]["name"]) for each in charted}


def test_the_api_server_takes_them(shared: Namespace, tmp_path: Path) -> None:
    for name in ("kustomization.yaml", "mill.yaml"):
        (tmp_path / name).write_text((DEPLOY / name).read_text().replace("mill-system", shared.name))
    applied = shared.run(
        *shared.cluster.kubectl_command(
            "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-k", str(tmp_path)
        )
    ).stdout
    kinds = re.findall(r"^([a-z]+)\S*/\S+ serverside-applied", applied, re.MULTILINE)
    assert {"namespace", "customresourcedefinition", "clusterrole", "role", "deployment", "service"} <= {*kinds}
