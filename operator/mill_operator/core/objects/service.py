"""A service as the desired state has it: what a verdict compares its pods with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mill_operator.core.internal_errors import InternalError

DEFAULT_SETTLE: Final = timedelta(seconds=10)
"""How long the replicas of a new version must stay ready, unless the setting or the service says otherwise."""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """The parts of a service's spec that texts and time limits need."""

    image: str
    memory: str
    secrets: tuple[str, ...] = ()
    budget: timedelta = timedelta(seconds=30)
    """How long a container may take from its first start until it is ready."""
    has_command_alone: bool = False
    """Whether it has a command and no arguments: what Compose calls a command are arguments."""
    pull: str = ""
    """The pull secret that it names."""
    disks: tuple[str, ...] = ()
    """Paths of persistent volumes that may belong to root: the service names no group, and is not root itself."""
    user: int | None = None
    has_read_only_root: bool = False
    least_live_time: timedelta | None = None
    """How long its container runs at least before its live check ends it; None if it has none."""


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
    settle: timedelta = DEFAULT_SETTLE
    """How long its replicas must stay ready until its new version has settled."""
    refers_to: tuple[str, ...] = ()
    """The services that its environment refers to, without those of a cycle that it is part of."""
    after: tuple[str, ...] = ()
    """The services that must have settled before it starts or changes, without those of a cycle that it is part of."""
    internal_error: InternalError | None = None
    """Why it could not be rendered. Its existing objects stay unchanged, and its template is unknown."""
