"""`kubectl apply -k deploy/`: the same as the chart, for whoever has no Helm."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.install.manifests import to_yaml
from tests.e2e.conftest import Namespace

from .helm import render

DEPLOY = Path(__file__).parents[3] / "deploy"
Named = dict[tuple[str, str], dict[str, Any]]


def built(namespace: Namespace, folder: Path = DEPLOY) -> Named:
    """What Kustomize makes of the folder, which is what is applied: objects by kind and name."""
    text = namespace.run(str(namespace.cluster.kubectl), "kustomize", str(folder)).stdout
    return named(list(yaml.safe_load_all(text)))


def named(objects: list[dict[str, Any]]) -> Named:
    found = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    assert len(found) == len(objects)
    return found


@pytest.fixture
def copied(shared: Namespace, tmp_path: Path) -> Path:
    """The folder as people copy it, with a namespace that is there and a registry of theirs."""
    for name in ("kustomization.yaml", "mill.yaml"):
        text = (DEPLOY / name).read_text().replace("mill-system", shared.name)
        (tmp_path / name).write_text(text.replace("newName: mill,", "newName: registry.example/mill,"))
    return tmp_path


def test_they_are_up_to_date() -> None:
    assert (DEPLOY / "mill.yaml").read_text() == to_yaml(), "run `make manifests`"


def test_they_are_what_the_chart_renders(shared: Namespace) -> None:
    charted = [each for each in render("gateway.token.create=false") if "test" not in each["metadata"]["name"]]
    assert built(shared).keys() == {("Namespace", "mill-system")} | named(charted).keys()


def test_kustomize_changes_the_image_and_nothing_else(shared: Namespace, copied: Path) -> None:
    assert built(shared) == named(list(yaml.safe_load_all((DEPLOY / "mill.yaml").read_text())))
    elsewhere = yaml.safe_dump_all(built(shared, copied).values())
    images = re.findall(r"\bimage: (\S+)$", elsewhere, re.MULTILINE)
    assert images == ["registry.example/mill:0.2.0"] * 2


def test_no_secret_is_in_them_and_none_is_missed(shared: Namespace) -> None:
    """One that is the same for everybody would be none, and a pod that mounts one that is missing would not start."""
    made = built(shared)
    assert "Secret" not in {kind for kind, _ in made}
    pods = [each["spec"]["template"]["spec"] for (kind, _), each in made.items() if kind == "Deployment"]
    assert len(pods) == 2
    assert all("secret" not in yaml.safe_dump(each).lower() for each in pods)
    (gateway,) = made["Deployment", "mill-gateway"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "MILL_KUBERNETES_TOKENS", "value": "true"} in gateway["env"]
    assert not [each for each in gateway["env"] if each["name"] in {"MILL_ADMIN_TOKEN", "MILL_ADMIN_TOKENS_FILE"}]


@pytest.mark.parametrize("how", [("--server-side", "--force-conflicts"), ()], ids=["server-side", "client-side"])
def test_the_api_server_takes_them(shared: Namespace, copied: Path, how: tuple[str, ...]) -> None:
    command = shared.cluster.kubectl_command("apply", *how, "--dry-run=server", "-k", str(copied))
    lines = re.findall(r"^(\w+)\S*/(\S+) .*\(server dry run\)$", shared.run(*command).stdout, re.MULTILINE)
    assert set(lines) == {(kind.lower(), name) for kind, name in built(shared, copied)}
