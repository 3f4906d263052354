"""Projection of what a pod requests, as the scheduler counts it."""

from collections.abc import Iterable, Mapping

from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.core.observed.allocatable import RESOURCES_KEPT, read_amounts


def project_requests(spec: JsonView) -> dict[str, float]:
    """Return the requests of a pod by resource in small letters: cores of CPU, otherwise as many as Kubernetes counts.

    They are those of its containers and sidecars together, or of the largest init container with the sidecars that
    have started before it; or the requests of the pod as a whole.
    """
    running = [_requests(each) for each in fields.mappings(spec, "containers")]
    sidecars: list[dict[str, float]] = []
    peaks: list[dict[str, float]] = []
    for each in fields.mappings(spec, "initContainers"):
        if fields.text(each, "restartPolicy") == "Always":
            sidecars.append(_requests(each))
        else:
            peaks.append(_total((*sidecars, _requests(each))))
    taken: dict[str, float] = {}
    for peak in (*peaks, _total((*running, *sidecars))):
        taken |= {name: max(amount, taken.get(name, 0.0)) for name, amount in peak.items()}
    overhead = read_amounts(fields.mapping(spec, "overhead"))
    found = _total((taken | _requests(spec), overhead))
    return dict(list(found.items())[:RESOURCES_KEPT])


def _requests(holder: JsonView) -> dict[str, float]:
    """Return the requests of a container, or of a pod as a whole."""
    return read_amounts(fields.mapping(holder, "resources", "requests"))


def _total(amounts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for each in amounts:
        for name, amount in each.items():
            total[name] = total.get(name, 0.0) + amount
    return total
