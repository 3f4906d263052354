"""A real Flux: its source, kustomize and helm controllers, and the Git that they read."""

from hack.gitops.flux.objects import GIT_REPOSITORIES, HELM_RELEASES, INTERVAL, KUSTOMIZATIONS, NAMESPACE, source
from hack.gitops.flux.server import Flux, down, up

__all__ = [
    "GIT_REPOSITORIES",
    "HELM_RELEASES",
    "INTERVAL",
    "KUSTOMIZATIONS",
    "NAMESPACE",
    "Flux",
    "down",
    "source",
    "up",
]
