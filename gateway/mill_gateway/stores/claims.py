"""Volumes."""

from mill_api import names
from mill_gateway.objects.claims import Claim, project_claim
from mill_kube.client import KubeClient
from mill_kube.reflector import Reflector
from mill_kube.resources import CLAIMS
from mill_objects.key import Key


class Claims:
    """The store."""

    def __init__(self, client: KubeClient, namespace: str | None = None) -> None:
        self.reflector: Reflector[Claim] = Reflector(
            client,
            CLAIMS,
            project=project_claim,
            on_change=lambda _old, _new: None,
            group=lambda each: each.key.namespace,
            namespace=namespace,
            labels=names.CHILD_SELECTOR,
        )

    def get(self, key: Key) -> Claim | None:
        """Return a volume."""
        return self.reflector.get(key)

    def in_namespace(self, namespace: str) -> list[Claim]:
        """Return the volumes of a namespace, by name."""
        return sorted(self.reflector.in_group(namespace), key=lambda each: each.key)
