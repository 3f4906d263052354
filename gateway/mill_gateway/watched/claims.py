"""Volumes: PersistentVolumeClaims."""

from dataclasses import dataclass
from typing import Any

from mill_api import names
from mill_api.key import Key
from mill_api.kube.client import KubeClient
from mill_api.kube.reflector import Reflector
from mill_api.kube.resources import CLAIMS


@dataclass(frozen=True, slots=True)
class Claim:
    """A volume."""

    key: Key
    uid: str
    resource_version: str
    deployment: str
    service: str
    """The service that it was made for."""
    phase: str
    """Pending, Bound or Lost."""
    volume: str | None
    """Name of the PersistentVolume that it is bound to."""
    size: str | None
    """What it has, or was asked for."""
    leaving: bool


def claim(body: dict[str, Any]) -> Claim:
    """Take what we need from a claim."""
    meta, spec, status = body["metadata"], body["spec"], body.get("status", {})
    labels = meta.get("labels") or {}
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return Claim(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        service=labels.get(names.LABEL_SERVICE, ""),
        phase=status.get("phase", "Pending"),
        volume=spec.get("volumeName"),
        size=(status.get("capacity") or {}).get("storage") or asked,
        leaving="deletionTimestamp" in meta,
    )


class Claims:
    """The store."""

    def __init__(self, client: KubeClient, namespace: str | None = None) -> None:
        self.reflector: Reflector[Claim] = Reflector(
            client,
            CLAIMS,
            project=claim,
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
