"""The owner of a managed resource, by the marks of GitOps tools."""

from typing import Any

import pytest

from mill_api.gitops import gitops_owner
from mill_gateway.core.ownership import next_write, way_back
from mill_gateway.objects.deployments import managers_of

TRACKED = {"argocd.argoproj.io/tracking-id": "shop:mill.dev/MillDeployment:prod/mill"}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
HELM = {"helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "prod"}

RELEASED = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "prod"},
}


@pytest.mark.parametrize(
    ("marks", "managers", "owner"),
    [
        ({}, (), None),
        ({"annotations": TRACKED}, (), "the Argo CD application shop"),
        # A copy, by kubectl for example, under another name or in another namespace: nobody tracks it.
        ({"annotations": {"argocd.argoproj.io/tracking-id": "shop:mill.dev/MillDeployment:prod/other"}}, (), None),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "shop:mill.dev/MillDeployment:test/mill"}}, (), None),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "nonsense"}}, (), None),
        ({"annotations": {"argocd.argoproj.io/tracking-id": ""}}, (), None),
        ({"labels": {"argocd.argoproj.io/instance": "shop"}}, (), "the Argo CD application shop"),
        # Helm's own label, and Argo CD's where it tracks by label: who wrote it tells.
        ({"labels": {"app.kubernetes.io/instance": "shop"}}, ("helm", "mill-gateway"), None),
        (
            {"labels": {"app.kubernetes.io/instance": "shop"}},
            ("argocd-controller",),
            "the Argo CD application shop",
        ),
        ({}, ("argocd-controller",), None),
        ({"labels": FLUX}, ("kustomize-controller",), "the Flux Kustomization flux-system/apps"),
        ({"labels": HELM}, (), "the Flux HelmRelease prod/shop"),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "shop"}}, (), "the Flux HelmRelease prod/shop"),
        (
            {"labels": RELEASED["labels"] | HELM, "annotations": RELEASED["annotations"]},
            (),
            "the Flux HelmRelease prod/shop",
        ),
        (RELEASED, (), "the Helm release prod/shop"),
        (
            {"labels": RELEASED["labels"], "annotations": {"meta.helm.sh/release-name": "shop"}},
            (),
            "the Helm release prod/shop",
        ),
        # A copy that has lost its label, or a chart's own label without a release.
        ({"annotations": RELEASED["annotations"]}, (), None),
        ({"labels": RELEASED["labels"]}, ("helm",), None),
        ({"labels": None, "annotations": None}, (), None),
    ],
)
def test_the_owner(marks: dict[str, Any], managers: tuple[str, ...], owner: str | None) -> None:
    assert gitops_owner({"name": "mill", "namespace": "prod", **marks}, managers) == owner


def test_managers_are_each_named_once() -> None:
    fields = [{"manager": "b", "operation": "Apply"}, {"manager": "a"}, {"manager": "b"}, {"operation": "Update"}]
    assert managers_of({"managedFields": fields}) == ("a", "b")
    assert managers_of({}) == ()


@pytest.mark.parametrize(
    ("labels", "command"),
    [
        ({"argocd.argoproj.io/instance": "shop"}, "argocd app rollback shop"),
        ({"argocd.argoproj.io/instance": "a;/b"}, "argocd app rollback 'a;/b'"),
        (FLUX, "flux reconcile kustomization apps --namespace flux-system --with-source"),
        (HELM, "flux reconcile helmrelease shop --namespace prod --with-source"),
    ],
)
def test_the_way_back_is_the_owners(labels: dict[str, str], command: str) -> None:
    owner = gitops_owner({"name": "mill", "namespace": "prod", "labels": labels}, ())
    assert owner is not None
    assert way_back(owner).startswith("revert the commit in Git")
    assert f"`{command}`" in way_back(owner)


def test_helm_goes_back_by_itself_and_writes_at_its_next_upgrade() -> None:
    owner = gitops_owner({"name": "mill", "namespace": "prod", **RELEASED}, ())
    assert owner is not None
    assert way_back(owner) == "go back by `helm rollback shop --namespace prod`"
    assert next_write(owner) == "upgrade"
    assert next_write("the Argo CD application shop") == next_write("the Flux Kustomization a/b") == "sync"
