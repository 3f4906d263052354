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
    """Return what a pod takes of its node, as the scheduler counts.

    That is what its containers and sidecars take together, or the largest of its init containers beside the sidecars
    that have started before it; or what the pod asks for as a whole.
    """
    running = [Amounts.read(_requests(each)) for each in pod_spec["containers"]]
    sidecars: list[Amounts] = []
    peaks = []
    for each in pod_spec.get("initContainers") or ():
        own = Amounts.read(_requests(each))
        if each.get("restartPolicy") == "Always":
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
    return total((taken, Amounts.read(pod_spec.get("overhead") or {})))


def _requests(spec: dict[str, Any]) -> dict[str, Any]:
    return (spec.get("resources") or {}).get("requests") or {}
