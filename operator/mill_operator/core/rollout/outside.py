"""Ports outside the cluster → whether they are refused, their addresses in the status, and warnings of missing ones.

No verdict rests on an address: many clusters have no load balancer, and the service runs all the same.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from mill_api.problems import Problem
from mill_api.service_status import OutsideAddress
from mill_api.spec import MillDeploymentSpec
from mill_api.status import MillDeploymentStatus, StatusWarning
from mill_operator.core import limits
from mill_operator.core.observed.children import ObservedChild

NO_OUTSIDE_ADDRESS: Final = "NoOutsideAddress"
"""Code of the warning. Never renamed."""
ADDRESS_GRACE: Final = timedelta(minutes=1)
"""How long a load balancer may take. Those of cloud providers need some ten seconds."""


class OutsideReport(NamedTuple):
    """The status with addresses and warnings, and when to look at missing addresses again."""

    status: MillDeploymentStatus
    wake_at: datetime | None


def refused_ports(spec: MillDeploymentSpec) -> Iterator[Problem]:
    """Yield a problem for each service with ports outside, where the operator allows none."""
    for service in spec.services:
        for port in service.ports:
            if port.outside is not None:
                where = f"service.{service.name}.port.{port.name}.outside"
                message = "load balancers are off in this cluster (the operator's setting MILL_OUTSIDE)"
                yield Problem(where, message, "remove `outside`; a route has HTTP from outside")
                break


def report_outside(status: MillDeploymentStatus, children: Iterable[ObservedChild], now: datetime) -> OutsideReport:
    """Return the status with the addresses of observed Services, and a warning for each that has none for long."""
    found: dict[str, list[OutsideAddress]] = {}
    warnings: list[StatusWarning] = []
    moments: list[datetime] = []
    reached = [(each, each.outside) for each in children if each.outside is not None and not each.terminating]
    for child, outside in sorted(reached, key=lambda each: each[0].key):
        if outside.host:
            addresses = (OutsideAddress(port=port, address=_address(outside.host, to)) for port, to in outside.ports)
            found.setdefault(child.service, []).extend(addresses)
        elif now < child.created + ADDRESS_GRACE:
            moments.append(child.created + ADDRESS_GRACE)
        else:
            text = (
                f"{child.service}: no address from outside yet: no load balancer of the cluster has given one to the "
                f"Service {child.key.name}"
            )
            warnings.append(StatusWarning(service=child.service, code=NO_OUTSIDE_ADDRESS, message=text))
    others = [each for each in status.warnings if each.code != NO_OUTSIDE_ADDRESS]
    services = [
        each if each.outside == (has := found.get(each.name, [])) else each.model_copy(update={"outside": has})
        for each in status.services
    ]
    update = {"services": services, "warnings": [*others, *warnings][: limits.SPEC_WARNINGS]}
    changed = update["services"] != status.services or update["warnings"] != status.warnings
    return OutsideReport(status.model_copy(update=update) if changed else status, min(moments, default=None))


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
