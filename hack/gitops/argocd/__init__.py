"""A real Argo CD: controller, repository server, Redis, and the Git that they read."""

from hack.gitops.argocd.objects import NAMESPACE, apply_settings, health_check, server_of
from hack.gitops.argocd.server import ArgoCD, down, up

__all__ = ["NAMESPACE", "ArgoCD", "apply_settings", "down", "health_check", "server_of", "up"]
