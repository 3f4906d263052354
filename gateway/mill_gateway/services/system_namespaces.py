"""Namespaces in which nothing is deployed or deleted by accident: those of Kubernetes, and that of Mill itself."""

from pathlib import Path
from typing import Final

from mill_gateway.core.accidents import is_system_namespace, system_namespace
from mill_gateway.exceptions.deployments import SystemNamespace
from mill_gateway.settings import Settings

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where the kubelet writes the namespace of a pod that has a ServiceAccount's token."""


class SystemNamespaces:
    """The system namespaces, as seen from one gateway."""

    def __init__(self, own: str | None, default: str) -> None:
        """Take the gateway's own namespace, None outside of a cluster, and the one that it serves by default."""
        self._own = own
        self._default = default

    @classmethod
    def of(cls, settings: Settings, service_account: Path = SERVICE_ACCOUNT) -> "SystemNamespaces":
        """Take the own namespace from the settings, or else from the pod's ServiceAccount."""
        own = settings.own_namespace
        if own is None:
            try:
                own = service_account.read_text(encoding="utf-8").strip() or None
            except (OSError, UnicodeDecodeError):
                own = None
        return cls(own, settings.default_namespace)

    def require(self, namespace: str, *, meant: bool) -> None:
        """Raise `SystemNamespace` for a system namespace that is not `meant`."""
        if not meant and is_system_namespace(namespace, own=self._own, default=self._default):
            raise SystemNamespace(*system_namespace(namespace, self._own))
