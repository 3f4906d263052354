"""Tools that manage resources, GitOps tools and Helm: they revert what another one writes, or it conflicts."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from mill_objects import fields

ARGO_TRACKING: Final = "argocd.argoproj.io/tracking-id"
"""Annotation `<application>:<group>/<kind>:<namespace>/<name>`; on copies of an object it still names the original."""
ARGO_LABEL: Final = "argocd.argoproj.io/instance"
"""The label that Argo CD's documentation suggests for tracking by label."""
INSTANCE_LABEL: Final = "app.kubernetes.io/instance"
"""The label by which it tracks by default when it tracks by label. Others use it too, so it counts only with …"""
ARGO_MANAGER: Final = "argocd-controller"
"""… this field manager, which Argo CD writes as."""
FLUX_TOOLS: Final = {
    "kustomize.toolkit.fluxcd.io": "Kustomization",
    "helm.toolkit.fluxcd.io": "HelmRelease",
}
FLUX: Final = "the Flux "
"""How the name of an owner begins that is of Flux."""
HELM_RELEASE: Final = "meta.helm.sh/release-name"
"""The annotation by which Helm knows what is its own, together with …"""
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
"""… this label, with the value `Helm`."""
HELM: Final = "the Helm release "
"""How the name of an owner begins that is a release of Helm, without Flux or Argo CD."""


def gitops_owner(metadata: Mapping[str, Any], managers: Collection[str]) -> str | None:
    """Return the tool that manages a resource, for people: `the Argo CD application shop`; None if it has none.

    `managers` are the names in the resource's `managedFields`.
    """
    labels = fields.texts(metadata, "labels")
    application = _tracked(metadata) or labels.get(ARGO_LABEL)
    if application is None and ARGO_MANAGER in managers:
        application = labels.get(INSTANCE_LABEL)
    if application:
        return f"the Argo CD application {application}"
    for group, kind in FLUX_TOOLS.items():
        if name := labels.get(f"{group}/name"):
            return f"{FLUX}{kind} {labels.get(f'{group}/namespace', metadata.get('namespace'))}/{name}"
    return _released(metadata)


def _released(metadata: Mapping[str, Any]) -> str | None:
    """Return the release of Helm that a resource belongs to."""
    annotations = fields.texts(metadata, "annotations")
    name = annotations.get(HELM_RELEASE)
    if not name or fields.texts(metadata, "labels").get(MANAGED_BY) != "Helm":
        return None
    return f"{HELM}{annotations.get('meta.helm.sh/release-namespace', metadata.get('namespace'))}/{name}"


def _tracked(metadata: Mapping[str, Any]) -> str | None:
    """Return the application that tracks the resource, unless the annotation came with a copy of another one."""
    text = fields.texts(metadata, "annotations").get(ARGO_TRACKING, "")
    application, _, of = text.partition(":")
    _, _, what = of.rpartition(":")
    return application if application and what == f"{metadata.get('namespace')}/{metadata.get('name')}" else None
