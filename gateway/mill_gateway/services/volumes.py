"""Volumes: listing, and deleting unused ones with their data."""

from mill_gateway.core.volumes import VolumeView, held_by, view_volume
from mill_gateway.exceptions.volumes import VolumeAttached, VolumeNotFound
from mill_gateway.stores import Stores
from mill_kube.client import KubeClient
from mill_kube.errors import NotFound
from mill_kube.resources import CLAIMS
from mill_objects.key import Key


class Volumes:
    """The persistent volumes that the gateway serves."""

    def __init__(self, client: KubeClient, stores: Stores) -> None:
        self._client = client
        self._stores = stores

    def views(self, namespace: str, deployment: str | None = None) -> list[VolumeView]:
        """Return the volumes of a namespace, or of one deployment, by name."""
        claims = self._stores.claims.in_group(namespace)
        mounts = self._stores.mounts
        return [view_volume(each, mounts.of(each.key)) for each in claims if deployment in (None, each.deployment)]

    async def delete(self, key: Key) -> None:
        """Delete a volume. Raise `VolumeNotFound`, or `VolumeAttached` while a pod mounts it."""
        claim = self._stores.claims.get(key)
        if claim is None or claim.terminating:
            raise VolumeNotFound(key.name, key.namespace)
        if (pod := held_by(self._stores.mounts.of(claim.key))) is not None:
            raise VolumeAttached(pod=pod.key.name, node=pod.node)
        try:
            await self._client.delete(CLAIMS, *key, uid=claim.uid)
        except NotFound:
            raise VolumeNotFound(key.name, key.namespace) from None
