"""A service as the desired state has it: what a verdict compares its pods with."""

from dataclasses import dataclass
from datetime import timedelta

from mill_operator.core.internal_errors import InternalError


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """The parts of a service's spec that texts and time limits need."""

    image: str
    memory: str
    secrets: tuple[str, ...] = ()
    budget: timedelta = timedelta(seconds=30)
    """How long a container may take from its first start until it is ready."""


@dataclass(frozen=True, slots=True)
class DesiredService:
    """A service as its template wants it."""

    name: str
    template: str
    replicas: int | None
    """None: the number in the Deployment, which an autoscaler sets."""
    probed: bool
    request: ServiceRequest
    recreate: bool = False
    """Whether its old pods must end before new ones begin."""
    internal_error: InternalError | None = None
    """Why it could not be rendered. Its existing objects stay unchanged, and its template is unknown."""
