"""What pods use, as a metrics server tells it."""

from mill_gateway.objects.amounts import Amounts, total
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key


def usage(listed: JsonView) -> dict[Key, Amounts]:
    """Read a list of PodMetrics. What does not say whose it is, is left out."""
    used: dict[Key, Amounts] = {}
    for each in fields.mappings(listed, "items"):
        meta = fields.mapping(each, "metadata")
        key = Key(fields.text(meta, "namespace"), fields.text(meta, "name"))
        if all(key):
            containers = fields.mappings(each, "containers")
            used[key] = total(Amounts.read(fields.mapping(container, "usage")) for container in containers)
    return used
