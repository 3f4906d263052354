"""A volume: a PersistentVolumeClaim."""

from dataclasses import dataclass
from typing import Any

from mill_api import names
from mill_api.key import Key


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
