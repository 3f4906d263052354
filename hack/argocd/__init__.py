"""A real Argo CD beside the local cluster, as far as it takes to sync: controller, repository server, Redis, and Git.

All of it runs as processes of this machine; none but the controller's metrics, whose address nobody can choose, is
reached from outside. `down` ends exactly those, and removes what was made in the cluster.
"""

from hack.argocd.git import Repository
from hack.argocd.objects import NAMESPACE, apply_settings, health_check
from hack.argocd.server import ArgoCD, down, up

__all__ = ["NAMESPACE", "ArgoCD", "Repository", "apply_settings", "down", "health_check", "up"]
