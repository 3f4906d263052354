"""A cause of a failure, as a row of a table: the service that has it, and the object that shows it first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]
_BUSY: Final = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True)
class Place:
    """Where images come from."""

    registry: str
    faulty: str
    """A registry that fails on purpose: `tests/e2e/faulty_registry.py`."""
    closed: str
    """An address at which nothing listens."""


Spec = Callable[[Place, str], Json]
"""Returns a service or task of that name, without the name."""
Shows = Callable[[Json], bool]
"""Whether an object shows the cause."""
Before = Callable[[str, str], list[Json]]
"""Returns objects that are made before, by namespace and service."""


def no_objects(_namespace: str, _service: str) -> list[Json]:
    """Return nothing."""
    return []


def pod_is_in_trouble(body: Json) -> bool:
    """Whether a container waits for more than its creation, or has ended."""
    if body["kind"] != "Pod":
        return False
    states = [
        each[state]
        for each in body.get("status", {}).get("containerStatuses", ())
        for state in ("state", "lastState")
        if each.get(state)
    ]
    return any(
        "terminated" in each or each.get("waiting", {}).get("reason", "ContainerCreating") not in _BUSY
        for each in states
    )


@dataclass(frozen=True)
class Cause:
    """A cause of a failure."""

    name: str
    """Of the service, in a namespace of all causes of its kind; the page shows `title`."""
    title: str
    code: str
    """The code that it must have."""
    spec: Spec
    shows: Shows = pod_is_in_trouble
    space: str = "plain"
    """The namespace, with what is there before: a key of `SPACES`."""
    before: Before = no_objects
    is_task: bool = False
    seconds: float = 60.0
    """How long a verdict may take."""


def web(image: str = "web:1", **more: Any) -> Spec:
    """Return a service of an image in the registry."""
    return lambda place, _name: _service(f"{place.registry}/{image}", more)


def pulled_from(source: str, path: str) -> Spec:
    """Return a service of an image in another registry: `faulty` or `closed`."""
    return lambda place, _name: _service(f"{getattr(place, source)}/{path}", {})


def shell(script: str, **more: Any) -> Spec:
    """Return a service that runs a script."""
    return web("busybox:1", command=["sh", "-c", script], **more)


def with_volume(place: Place, name: str) -> Json:
    """Return a service with a persistent volume, whose claim has its name."""
    volume = {"name": f"{name}-data", "path": "/data", "size": "1Mi"}
    return _service(f"{place.registry}/web:1", {"volumes": [volume]})


def task(image: str = "web:1", **more: Any) -> Spec:
    """Return a task."""
    return lambda place, _name: {"image": f"{place.registry}/{image}", "cpu": "10m", "memory": "32M", **more}


def _service(image: str, more: Mapping[str, Any]) -> Json:
    made = {"image": image, "port": 8080, "cpu": "10m", "memory": "32M", **more}
    return {name: value for name, value in made.items() if value is not None}


@dataclass(frozen=True)
class Space:
    """A namespace, and what is made in it before any service."""

    before: Callable[[str], list[Json]] = field(default=lambda _namespace: [])
    pull_secret: str | None = None
    """The name of a pull secret that its account names, and that does not exist."""
