"""Failures of requests about volumes."""

from mill_gateway.exceptions.base import GatewayError, NameNotFound


class VolumeNotFound(NameNotFound):
    """The namespace has no such volume."""

    code = "volume_not_found"
    kind = "volume"
    text = "volume not found"


class VolumeAttached(GatewayError):
    """A pod, which `pod` and `node` name, uses the volume."""

    code = "volume_attached"
    text = "volume is attached"
