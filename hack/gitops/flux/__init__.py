"""A real Flux: its source and kustomize controllers, and the Git that they read."""

from hack.gitops.flux.objects import NAMESPACE, source
from hack.gitops.flux.server import Flux, down, up

__all__ = ["NAMESPACE", "Flux", "down", "source", "up"]
