"""Usage of pods, as a metrics server reports it."""

from mill_gateway.objects.amounts import Amounts, total
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key


def read_usage(listed: JsonView) -> dict[Key, Amounts]:
    """Read a list of PodMetrics. Entries without namespace and name are left out."""
    used: dict[Key, Amounts] = {}
    for each in fields.mappings(listed, "items"):
        meta = fields.mapping(each, "metadata")
        key = Key(fields.text(meta, "namespace"), fields.text(meta, "name"))
        if all(key):
            containers = fields.mappings(each, "containers")
            used[key] = total(Amounts.read(fields.mapping(container, "usage")) for container in containers)
    return used
