"""Amounts of CPU and memory as mill's API counts them: cores as a float, bytes as an integer."""

from collections.abc import Iterable
from typing import NamedTuple

from mill_api.quantities import InvalidQuantity, bytes_of, cores_of
from mill_objects import fields
from mill_objects.json import JsonView


class Amounts(NamedTuple):
    """CPU and memory."""

    cpu: float = 0.0
    """Cores."""
    memory: int = 0
    """Bytes."""

    @classmethod
    def read(cls, quantities: JsonView) -> "Amounts":
        """Read Kubernetes' own notation: `{"cpu": "250m", "memory": "256M"}`.

        An amount that cannot be read counts as 0: the pod is shown in any case.
        """
        return cls(cores(fields.quantity(quantities, "cpu")), size(fields.quantity(quantities, "memory")) or 0)


def cores(quantity: str) -> float:
    """Return a number of cores; 0 if it cannot be read."""
    try:
        return cores_of(quantity) if quantity else 0.0
    except InvalidQuantity:
        return 0.0


def size(quantity: str) -> int | None:
    """Return a number of bytes; None if it cannot be read."""
    try:
        return bytes_of(quantity)
    except InvalidQuantity:
        return None


def total(amounts: Iterable[Amounts]) -> Amounts:
    """Return the sum."""
    cpu, memory = 0.0, 0
    for each in amounts:
        cpu += each.cpu
        memory += each.memory
    return Amounts(round(cpu, 6), memory)


def requested(pod_spec: JsonView) -> Amounts:
    """Return the requests of a pod, as the scheduler counts them.

    That is the sum of its containers and sidecars, or the largest init container with the sidecars that have started
    before it; or the requests of the pod as a whole.
    """
    running = [Amounts.read(_requests(each)) for each in fields.mappings(pod_spec, "containers")]
    sidecars: list[Amounts] = []
    peaks = []
    for each in fields.mappings(pod_spec, "initContainers"):
        own = Amounts.read(_requests(each))
        if fields.text(each, "restartPolicy") == "Always":
            sidecars.append(own)
        else:
            peaks.append(total((*sidecars, own)))
    peaks.append(total((*running, *sidecars)))
    whole = _requests(pod_spec)
    asked = Amounts.read(whole)
    taken = Amounts(
        asked.cpu if "cpu" in whole else max(each.cpu for each in peaks),
        asked.memory if "memory" in whole else max(each.memory for each in peaks),
    )
    return total((taken, Amounts.read(fields.mapping(pod_spec, "overhead"))))


def _requests(spec: JsonView) -> JsonView:
    return fields.mapping(spec, "resources", "requests")
