"""Amounts of CPU and memory as mill's API counts them: cores as a float, bytes as an integer."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from mill_api.language.quantities import bytes_of, cores_of


class Amounts(NamedTuple):
    """CPU and memory."""

    cpu: float = 0.0
    """Cores."""
    memory: int = 0
    """Bytes."""

    @classmethod
    def read(cls, quantities: dict[str, Any]) -> "Amounts":
        """Read Kubernetes' own notation: `{"cpu": "250m", "memory": "256M"}`."""
        return cls(cores_of(str(quantities.get("cpu", "0"))), bytes_of(str(quantities.get("memory", "0"))))


def total(amounts: Iterable[Amounts]) -> Amounts:
    """Add up."""
    cpu, memory = 0.0, 0
    for each in amounts:
        cpu += each.cpu
        memory += each.memory
    return Amounts(round(cpu, 6), memory)


def requested(pod_spec: dict[str, Any]) -> Amounts:
    """Return what a pod takes of its node: as the scheduler counts, with the largest of its init containers."""
    running = total(Amounts.read(_requests(each)) for each in pod_spec["containers"])
    starting = [Amounts.read(_requests(each)) for each in pod_spec.get("initContainers") or ()]
    overhead = Amounts.read(pod_spec.get("overhead") or {})
    return Amounts(
        max(running.cpu, *(each.cpu for each in starting), 0.0) + overhead.cpu,
        max(running.memory, *(each.memory for each in starting), 0) + overhead.memory,
    )


def _requests(container: dict[str, Any]) -> dict[str, Any]:
    return (container.get("resources") or {}).get("requests") or {}
