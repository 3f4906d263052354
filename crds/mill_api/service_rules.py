"""The constraints across the fields of one service, in one table, applied as those of `constraints` are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from mill_api.constraints import DEFAULT_FAILURE_THRESHOLD, DEFAULT_INTERVAL
from mill_api.ports import MAIN, OUTSIDE
from mill_api.references import OPEN
from mill_api.service_fields import CheckFields, ServiceFields
from mill_api.text_rules import SERVICE_NAME

MAX_NAME_OUTSIDE: Final = SERVICE_NAME.max_length - max(map(len, OUTSIDE.values()))
"""Characters of the name of a service with ports outside."""


class Breach(NamedTuple):
    """Where a service breaks a rule. Paths are relative to the service, as a `.mill` file has them."""

    path: str
    absent: tuple[str, ...] = ()
    """Paths of the fields of which one is missing, if that is the problem."""
    others: tuple[str, ...] = ()
    """Paths of the fields that contradict it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRule:
    """A rule across the fields of one service."""

    breaches: Callable[[ServiceFields], Iterator[Breach]]
    message: str
    suggestion: str
    cel_model: Literal["Service", "Port", "Health", "Volume"]
    """The model at which the CRD has the rule."""
    cel: str
    """True for what is accepted; `self` is an object of `cel_model`."""
    is_added_later: bool = False
    """Whether 0.1.0 did not have it: then the models do not apply it, and CEL applies it to changes alone."""


def has_check(check: CheckFields) -> bool:
    """Return whether a block says what is checked: that of health may have a start time alone."""
    return any(each is not None for each in (check.path, check.command, check.grpc, check.port))


def needs_port(check: CheckFields) -> bool:
    """Return whether a check connects to the service's port."""
    return check.command is None and check.port is None


def kinds_of(check: CheckFields) -> list[str]:
    """Return the attributes of a check that say what is done, of which there should be one."""
    kinds = {"path": check.path, "command": check.command, "grpc": check.grpc}
    return [name for name, value in kinds.items() if value is not None]


def _health_without_port(service: ServiceFields) -> Iterator[Breach]:
    health = service.health
    if service.port is None and health is not None and needs_port(health):
        yield Breach("health", ("port", "health.port", "health.command"))


def _empty_health(service: ServiceFields) -> Iterator[Breach]:
    if service.health is not None and not has_check(service.health) and service.health.start is None:
        yield Breach("health", tuple(f"health.{name}" for name in ("path", "command", "grpc", "port", "start")))


def _several_kinds(service: ServiceFields) -> Iterator[Breach]:
    if service.health is not None:
        first, *others = [f"health.{name}" for name in kinds_of(service.health)] or [""]
        if others:
            yield Breach(others[0], others=(first, *others[1:]))


def _checks_without_path(service: ServiceFields) -> Iterator[Breach]:
    """Yield the fields of a check beside a start time alone. One that has its default is as good as left out."""
    health = service.health
    if health is not None and not has_check(health) and health.start is not None:
        if health.interval != DEFAULT_INTERVAL:
            yield Breach("health.interval", ("health.path",))
        if health.failure_threshold != DEFAULT_FAILURE_THRESHOLD:
            yield Breach("health.failure_threshold", ("health.path",))


def _after_itself(service: ServiceFields) -> Iterator[Breach]:
    if service.name in service.after:
        yield Breach(f"after.{service.after.index(service.name)}")


def _other_port_in_env(service: ServiceFields) -> Iterator[Breach]:
    """Yield a variable PORT with another value than the port. The value of a reference is not known here."""
    given = service.env.get("PORT")
    if service.port is not None and given is not None and OPEN not in given and given != str(service.port):
        yield Breach("env.PORT", others=("port",))


def _port_named_main(service: ServiceFields) -> Iterator[Breach]:
    for port in service.ports:
        if port.name == MAIN:
            yield Breach(f"port.{port.name}", others=("port",) if service.port is not None else ())


def _port_that_is_main(service: ServiceFields) -> Iterator[Breach]:
    """Yield a port that says nothing but what `port` says. One with `outside` says more."""
    for port in service.ports:
        if (port.number, port.protocol) == (service.port, "tcp") and port.outside is None:
            yield Breach(f"port.{port.name}.number", others=("port",))


def _ports_of_one_number(service: ServiceFields) -> Iterator[Breach]:
    first: dict[tuple[int, str], str] = {}
    for port in service.ports:
        where = f"port.{port.name}.number"
        earlier = first.setdefault((port.number, port.protocol), where)
        if earlier != where:
            yield Breach(where, others=(earlier,))


def _ports_of_one_number_outside(service: ServiceFields) -> Iterator[Breach]:
    first: dict[tuple[int, str], str] = {}
    for port in service.ports:
        if port.outside is not None:
            where = f"port.{port.name}.outside"
            earlier = first.setdefault((port.outside, port.protocol), where)
            if earlier != where:
                yield Breach(where, others=(earlier,))


def _name_too_long_for_outside(service: ServiceFields) -> Iterator[Breach]:
    if len(service.name) > MAX_NAME_OUTSIDE:
        for port in service.ports:
            if port.outside is not None:
                yield Breach(f"port.{port.name}.outside")
                return


def _route_without_port(service: ServiceFields) -> Iterator[Breach]:
    if service.port is None and service.routes:
        yield Breach(f"route.{service.routes[0].host}", ("port",))


def _volumes_without_size(service: ServiceFields) -> Iterator[Breach]:
    for volume in service.volumes:
        if not volume.ephemeral and volume.size is None:
            path = f"volume.{volume.name}"
            yield Breach(path, (f"{path}.size", f"{path}.ephemeral"))


def _replicas_of_a_persistent_volume(service: ServiceFields) -> Iterator[Breach]:
    if (service.replicas or 0) > 1 and any(not volume.ephemeral for volume in service.volumes):
        yield Breach("replicas")


SERVICE_RULES: Final = (
    ServiceRule(
        breaches=_health_without_port,
        message="a health check needs a port",
        suggestion="add `port = …` to the service",
        cel_model="Service",
        cel="!has(self.health) || has(self.port) || has(self.health.command) || has(self.health.port)",
    ),
    ServiceRule(
        breaches=_empty_health,
        message="a health block needs a path, a command, gRPC, a port or a start time",
        suggestion='add `path = "/healthz"`, or `start = "3m"` if only the time of a start matters',
        cel_model="Health",
        cel="has(self.path) || has(self.command) || has(self.grpc) || has(self.port) || has(self.start)",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_several_kinds,
        message="a health check is of one kind: path, command or grpc",
        suggestion="keep the one that says best whether the service works",
        cel_model="Health",
        cel="!(has(self.path) && (has(self.command) || has(self.grpc))) && !(has(self.command) && has(self.grpc))",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_checks_without_path,
        message="interval and failure_threshold need a check",
        suggestion='add `path = "/healthz"` to the health block',
        cel_model="Health",
        cel="has(self.path) || has(self.command) || has(self.grpc) || has(self.port) || !has(self.start) || "
        "(!has(self.interval) || self.interval == '10s') && "
        "(!has(self.failureThreshold) || self.failureThreshold == 3)",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_after_itself,
        message="a service cannot start after itself",
        suggestion="remove its own name from `after`",
        cel_model="Service",
        cel="!has(self.after) || !(self.name in self.after)",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_other_port_in_env,
        message="PORT contradicts `port`, whose value the program gets in PORT",
        suggestion="leave PORT out, and set `port` to the number on which the program listens",
        cel_model="Service",
        cel="!has(self.port) || !has(self.env) || !('PORT' in self.env) || self.env['PORT'] == string(self.port) || "
        "self.env['PORT'].contains('${')",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_port_named_main,
        message="main is the name of the port that `port` has",
        suggestion="give it another name, or write `port = …`",
        cel_model="Port",
        cel="self.name != 'main'",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_port_that_is_main,
        message="`port` has this number already",
        suggestion="leave one of them out, unless this one has `outside`",
        cel_model="Service",
        cel="!has(self.port) || !has(self.ports) || self.ports.all(p, p.number != self.port || p.protocol != 'tcp' || "
        "has(p.outside))",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_ports_of_one_number,
        message="another port has this number and protocol",
        suggestion="give one of them another number",
        cel_model="Service",
        cel="!has(self.ports) || self.ports.all(p, self.ports.exists_one(q, q.number == p.number && "
        "q.protocol == p.protocol))",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_ports_of_one_number_outside,
        message="another port has this number outside",
        suggestion="give one of them another number for `outside`",
        cel_model="Service",
        cel="!has(self.ports) || self.ports.all(p, !has(p.outside) || !self.ports.exists(q, q.name != p.name && "
        "has(q.outside) && q.outside == p.outside && q.protocol == p.protocol))",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_name_too_long_for_outside,
        message=f"a service with `outside` may have at most {MAX_NAME_OUTSIDE} characters in its name",
        suggestion="shorten the name of the service: it becomes the name of a Service that ends with -outside-udp",
        cel_model="Service",
        cel=f"!has(self.ports) || size(self.name) <= {MAX_NAME_OUTSIDE} || self.ports.all(p, !has(p.outside))",
        is_added_later=True,
    ),
    ServiceRule(
        breaches=_route_without_port,
        message="a route needs a port",
        suggestion="add `port = …` to the service",
        cel_model="Service",
        cel="!has(self.routes) || size(self.routes) == 0 || has(self.port)",
    ),
    ServiceRule(
        breaches=_volumes_without_size,
        message="persistent volume must have a size",
        suggestion='add `size = "1Gi"`, or `ephemeral = true` if the data may be lost',
        cel_model="Volume",
        cel="self.ephemeral || has(self.size)",
    ),
    ServiceRule(
        breaches=_replicas_of_a_persistent_volume,
        message="a persistent volume allows one replica",
        suggestion="set `replicas = 1`, or make the volume ephemeral: the disk can be mounted by one replica only",
        cel_model="Service",
        cel="!has(self.replicas) || self.replicas <= 1 || !has(self.volumes) || self.volumes.all(v, v.ephemeral)",
    ),
)
"""Every rule across the fields of a service. Across services, CEL rules exceed the API server's budget."""
