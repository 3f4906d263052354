"""The fields of a service that the rules of `service_rules` read. The models of `spec` have them."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class VolumeFields(Protocol):
    """The fields of a volume that the rules read."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> str | None: ...
    @property
    def ephemeral(self) -> bool: ...


class RouteFields(Protocol):
    """The fields of a route that the rules read."""

    @property
    def host(self) -> str: ...


class PortFields(Protocol):
    """The fields of a named port that the rules read."""

    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def protocol(self) -> str: ...
    @property
    def outside(self) -> int | None: ...


class CheckFields(Protocol):
    """The fields of a check that the rules read."""

    @property
    def path(self) -> str | None: ...
    @property
    def command(self) -> Sequence[str] | None: ...
    @property
    def grpc(self) -> str | None: ...
    @property
    def port(self) -> str | None: ...
    @property
    def interval(self) -> str: ...
    @property
    def failure_threshold(self) -> int: ...


class HealthFields(CheckFields, Protocol):
    """The fields of a health block that the rules read."""

    @property
    def start(self) -> str | None: ...


class ServiceFields(Protocol):
    """The fields of a service that the rules read."""

    @property
    def name(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def ports(self) -> Sequence[PortFields]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def replicas(self) -> int | None: ...
    @property
    def health(self) -> HealthFields | None: ...
    @property
    def routes(self) -> Sequence[RouteFields]: ...
    @property
    def volumes(self) -> Sequence[VolumeFields]: ...
    @property
    def after(self) -> Sequence[str]: ...
