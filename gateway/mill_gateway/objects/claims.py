"""A volume: a PersistentVolumeClaim."""

from dataclasses import dataclass

from mill_api import names
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key


@dataclass(frozen=True, slots=True)
class Claim:
    """A volume."""

    key: Key
    uid: str
    resource_version: str
    deployment: str
    service: str
    """The service that mounts it."""
    phase: str
    """Pending, Bound or Lost."""
    volume: str | None
    """Name of the PersistentVolume that it is bound to."""
    size: str | None
    """Its capacity, or the requested one until it has any."""
    terminating: bool


def project_claim(body: JsonView) -> Claim:
    """Return the projection of a claim. Raises `Unreadable`."""
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    labels = fields.texts(meta, "labels")
    asked = fields.quantity(fields.mapping(spec, "resources", "requests"), "storage")
    return Claim(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        deployment=labels.get(names.LABEL_DEPLOYMENT, ""),
        service=labels.get(names.LABEL_SERVICE, ""),
        phase=fields.text(status, "phase") or "Pending",
        volume=fields.text(spec, "volumeName") or None,
        size=fields.quantity(fields.mapping(status, "capacity"), "storage") or asked or None,
        terminating=fields.deleted(body),
    )
