"""Projection of what a node can allocate to pods, and the most of it that one of several nodes has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mill_api.quantities import InvalidQuantity, bytes_of, cores_of
from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.core.observed.foreign_text import name

RESOURCES_KEPT: Final = 100
"""Resources of all nodes that are kept: device plugins can name any number of them."""


@dataclass(frozen=True, slots=True)
class LargestNode:
    """The most that one node can allocate, by resource in small letters; the node is another for each of them."""

    amounts: Mapping[str, float] = field(default_factory=dict)

    def or_larger(self, amounts: Mapping[str, float]) -> "LargestNode":
        """Return the most of these amounts and of another node's."""
        known = dict(self.amounts)
        for resource, amount in amounts.items():
            if resource in known or len(known) < RESOURCES_KEPT:
                known[resource] = max(amount, known.get(resource, 0.0))
        return LargestNode(known)


def project_allocatable(body: JsonView) -> dict[str, float]:
    """Return what a node can allocate: cores of CPU, otherwise as many as Kubernetes counts.

    Nothing counts of a node that is cordoned, and no amount that cannot be read.
    """
    if fields.mapping(body, "spec").get("unschedulable") is True:
        return {}
    return read_amounts(fields.mapping(body, "status", "allocatable"))


def read_amounts(quantities: JsonView) -> dict[str, float]:
    """Return amounts by resource in small letters, as far as they can be read."""
    amounts: dict[str, float] = {}
    for resource in list(quantities)[:RESOURCES_KEPT]:
        read = cores_of if resource == "cpu" else bytes_of
        try:
            amounts[name(resource).lower()] = read(fields.quantity(quantities, resource))
        except InvalidQuantity:
            continue
    return amounts
