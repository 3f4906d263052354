"""One service in an overlay: the examples, and what the guide says. Manifests of Flux and Argo CD beside."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from mill_api.crd import definition

from . import guide
from .conftest import MILL, Namespace, wait_for

EXAMPLE = Path(__file__).parents[2] / "examples" / "gitops"
BASE = """
apiVersion: mill.dev/v1alpha1
kind: MillDeployment
metadata:
  name: mill
spec:
  services:
  - {name: web, image: "registry.example/web:1", port: 8080}
  - {name: worker, image: "registry.example/worker:1"}
"""
MERGE = """
apiVersion: mill.dev/v1alpha1
kind: MillDeployment
metadata: {name: mill}
spec:
  services: [{name: worker, replicas: 3}]
"""
CHANGES = {
    "staging": {"image": "registry.example/worker:2-rc1"},
    "production": {"replicas": 3},
    "preview": {"replicas": 0},
}


def built(namespace: Namespace, folder: Path) -> dict[str, Any]:
    """What Kustomize makes of a folder with one MillDeployment."""
    made: dict[str, Any] = yaml.safe_load(
        namespace.run(str(namespace.cluster.kubectl), "kustomize", str(folder)).stdout
    )
    return made


def services(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its services by name."""
    return {each["name"]: each for each in made["spec"]["services"]}


def accepted(namespace: Namespace, made: dict[str, Any]) -> None:
    """Have the API server look at it, as if it were applied."""
    made["metadata"]["namespace"] = namespace.name
    namespace.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(made))


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """An overlay without a kustomization, beside a base."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "mill.yaml").write_text(BASE)
    (tmp_path / "base" / "kustomization.yaml").write_text("resources: [mill.yaml]\n")
    (tmp_path / "overlay").mkdir()
    return tmp_path / "overlay"


class TestExamples:
    def test_the_base_is_made_of_the_file(self, shared: Namespace) -> None:
        rendered = shared.run(str(MILL), "render", str(EXAMPLE / "shop.mill")).stdout
        assert (EXAMPLE / "base" / "mill.yaml").read_text() == rendered
        accepted(shared, built(shared, EXAMPLE / "base"))

    def test_every_overlay_is_tried(self) -> None:
        assert {each.name for each in (EXAMPLE / "overlays").iterdir()} == CHANGES.keys()

    @pytest.mark.parametrize("name", CHANGES)
    def test_an_overlay_changes_one_service_and_nothing_else(self, shared: Namespace, name: str) -> None:
        before = services(built(shared, EXAMPLE / "base"))
        made = built(shared, EXAMPLE / "overlays" / name)
        assert services(made) == {**before, "worker": {**before["worker"], **CHANGES[name]}}
        accepted(shared, made)

    @pytest.mark.parametrize(
        ("file", "api", "kind"),
        [
            ("flux/kustomization.yaml", "kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
            ("argocd/application.yaml", "argoproj.io/v1alpha1", "Application"),
        ],
    )
    def test_manifests_of_tools_lead_to_an_overlay(self, file: str, api: str, kind: str) -> None:
        made = yaml.safe_load((EXAMPLE / file).read_text())
        assert (made["apiVersion"], made["kind"], made["metadata"]["name"]) == (api, kind, "shop")
        path = made["spec"].get("path") or made["spec"]["source"]["path"]
        assert (EXAMPLE / path / "kustomization.yaml").is_file()

    def test_the_manifest_of_a_helm_release_leads_to_the_chart(self) -> None:
        made = yaml.safe_load((EXAMPLE / "flux" / "helmrelease.yaml").read_text())
        assert (made["apiVersion"], made["kind"]) == ("helm.toolkit.fluxcd.io/v2", "HelmRelease")
        assert (EXAMPLE / made["spec"]["chart"]["spec"]["chart"] / "Chart.yaml").is_file()


class TestOnTheCluster:
    def test_apply_k_deploys_an_overlay_and_delete_k_removes_it(self, namespace: Namespace, tmp_path: Path) -> None:
        """The README's command, for the overlay with this cluster's registry on top."""
        shutil.copytree(EXAMPLE, tmp_path / "gitops")
        overlay = tmp_path / "gitops" / "overlays" / "ours"
        overlay.mkdir()
        images = [
            {"name": f"registry.example/{name}", "newName": f"{namespace.registry}/web"} for name in ("web", "worker")
        ]
        ours = {"resources": ["../production"], "namespace": namespace.name, "images": images}
        shutil.copy(EXAMPLE / "overlays" / "staging" / "images.yaml", overlay)
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump({**ours, "configurations": ["images.yaml"]}))

        namespace.kubectl("apply", "-k", str(overlay))
        namespace.kubectl("wait", "md/mill", "--for=condition=Ready", "--timeout=90s")
        assert namespace.status()["healthy"] == "2/2"
        assert len(namespace.ready_pods("worker")) == 3
        namespace.recorded_rollout()
        before = namespace.get("milldeployment", "mill")["metadata"]
        namespace.kubectl("apply", "-k", str(overlay))
        after = namespace.get("milldeployment", "mill")["metadata"]
        assert after["resourceVersion"] == before["resourceVersion"], "a second time nothing is written"
        namespace.kubectl("delete", "-k", str(overlay), "--timeout=60s")
        wait_for("all of it to go", lambda: namespace.items("deployments,services,pods") == [])


class TestTheGuide:
    def test_a_json_patch(self, shared: Namespace, overlay: Path) -> None:
        (overlay / "kustomization.yaml").write_text(guide.block("yaml", "op: replace"))
        made = built(shared, overlay)
        images = [each["image"] for each in services(made).values()]
        assert images == ["registry.example/web:1", "registry.example/worker:2"]
        accepted(shared, made)

    def test_a_json_patch_of_another_service_than_expected_is_refused(self, shared: Namespace, overlay: Path) -> None:
        patch = guide.block("yaml", "op: replace").replace("value: worker}", "value: another}")
        (overlay / "kustomization.yaml").write_text(patch)
        done = shared.run(str(shared.cluster.kubectl), "kustomize", str(overlay), check=False)
        assert done.code == 1
        assert "/spec/services/1/name" in done.stderr

    def test_images(self, shared: Namespace, overlay: Path) -> None:
        (overlay / "kustomization.yaml").write_text(guide.block("yaml", "configurations: [mill-images.yaml]"))
        (overlay / "mill-images.yaml").write_text(guide.block("yaml", "# mill-images.yaml"))
        made = built(shared, overlay)
        images = [each["image"] for each in services(made).values()]
        assert images == ["registry.example/web:1", "registry.example/worker:2"]
        accepted(shared, made)

    def test_a_merge_by_name(self, shared: Namespace, overlay: Path) -> None:
        assert guide.says("openapi: {path: mill-schema.json}")
        assert guide.says("services: [{name: worker, replicas: 3}]")
        (overlay / "mill-schema.json").write_text(guide.block("json", "x-kubernetes-patch-merge-key"))
        patched = {"resources": ["../base"], "openapi": {"path": "mill-schema.json"}, "patches": [{"patch": MERGE}]}
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump(patched))
        made = built(shared, overlay)
        assert services(made)["worker"] == {"name": "worker", "image": "registry.example/worker:1", "replicas": 3}
        assert list(services(made)) == ["worker", "web"]  # patched ones come first
        accepted(shared, made)

    def test_such_a_schema_has_a_deployment_s_containers_replaced(self, shared: Namespace, overlay: Path) -> None:
        pod = {"template": {"spec": {"containers": [{"name": "a", "image": "a"}, {"name": "b", "image": "b"}]}}}
        other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "other"}}
        (overlay / "other.yaml").write_text(yaml.safe_dump({**other, "spec": pod}))
        (overlay / "mill-schema.json").write_text(guide.block("json", "x-kubernetes-patch-merge-key"))
        one = {"template": {"spec": {"containers": [{"name": "a", "image": "c"}]}}}
        patched = {"resources": ["other.yaml"], "patches": [{"patch": yaml.safe_dump({**other, "spec": one})}]}
        kustomization = overlay / "kustomization.yaml"
        kustomization.write_text(yaml.safe_dump(patched))
        assert len(built(shared, overlay)["spec"]["template"]["spec"]["containers"]) == 2
        kustomization.write_text(yaml.safe_dump(patched | {"openapi": {"path": "mill-schema.json"}}))
        assert built(shared, overlay)["spec"] == one

    def test_the_same_without_a_schema_replaces_the_list(self, shared: Namespace, overlay: Path) -> None:
        patched = {"resources": ["../base"], "patches": [{"patch": MERGE}]}
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump(patched))
        assert services(built(shared, overlay)) == {"worker": {"name": "worker", "replicas": 3}}

    def test_the_schema_has_the_cluster_s_key(self) -> None:
        schema = json.loads(guide.block("json", "x-kubernetes-patch-merge-key"))
        assert schema == json.loads((EXAMPLE / "overlays" / "preview" / "mill-schema.json").read_text())
        (of_kind,) = schema["definitions"].values()
        listed = of_kind["properties"]["spec"]["properties"]["services"]
        served = definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        keys = served["properties"]["services"]["x-kubernetes-list-map-keys"]
        assert keys == [listed["x-kubernetes-patch-merge-key"]]
