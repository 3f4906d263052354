"""Mill's own image, with operator and gateway, built without Docker."""

from hack.images.mill.build import Mill, build_mill, push_mill, write_mill

__all__ = ["Mill", "build_mill", "push_mill", "write_mill"]
