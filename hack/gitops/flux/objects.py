"""What Flux wants in the cluster: its kinds, a namespace, and of each thing that it syncs a source."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hack.cluster import Cluster
from hack.commands import run
from hack.gitops.guests import Manifest, apply

NAMESPACE: Final = "flux-system"
KUSTOMIZATIONS: Final = "kustomizations.kustomize.toolkit.fluxcd.io"
HELM_RELEASES: Final = "helmreleases.helm.toolkit.fluxcd.io"
GIT_REPOSITORIES: Final = "gitrepositories.source.toolkit.fluxcd.io"
KINDS: Final = (
    KUSTOMIZATIONS,
    HELM_RELEASES,
    GIT_REPOSITORIES,
    *(
        f"{name}.source.toolkit.fluxcd.io"
        for name in ("ocirepositories", "buckets", "helmrepositories", "helmcharts", "externalartifacts")
    ),
)
INTERVAL: Final = 10
"""Seconds between two looks at Git, and at what it has applied."""


def install(cluster: Cluster, modules: Iterable[Path]) -> None:
    """Make the kinds that its modules bring, and the namespace of its objects."""
    for module in modules:
        folder = str(module / "config" / "crd" / "bases")
        run(*cluster.kubectl_command("apply", "--server-side", "--force-conflicts", "-f", folder))
    apply(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])


def source(name: str, url: str) -> Manifest:
    """Return what has it read a repository."""
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"url": url, "ref": {"branch": "main"}, "interval": f"{INTERVAL}s", "timeout": "20s"},
    }
