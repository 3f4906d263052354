"""GitOps tools that manage resources: a write by another manager is reverted at their next sync, or conflicts."""

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


def gitops_owner(metadata: Mapping[str, Any], managers: Collection[str]) -> str | None:
    """Return the GitOps owner of a resource, for people: `the Argo CD application shop`; None if it has none.

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
    return None


def _tracked(metadata: Mapping[str, Any]) -> str | None:
    """Return the application that tracks the resource, unless the annotation came with a copy of another one."""
    text = fields.texts(metadata, "annotations").get(ARGO_TRACKING, "")
    application, _, of = text.partition(":")
    _, _, what = of.rpartition(":")
    return application if application and what == f"{metadata.get('namespace')}/{metadata.get('name')}" else None
