"""Whether an Ingress may be written: hosts that its namespace allows, and routes that no other one has.

Only routes count that the Ingress does not have yet. What a service has stays with it, whatever the rules: its Ingress
is written for other changes, and a warning says what a new Ingress would be refused for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mill_api import names
from mill_api.status import StatusWarning
from mill_objects.key import Key
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.ingresses import ObservedIngress, Route
from mill_operator.core.routes.index import Claim, Conflict, Holder
from mill_operator.core.routes.namespace_rules import NamespaceRules
from mill_operator.core.verdicts.rule_input import Problem

HOST_NOT_ALLOWED: Final = "HostNotAllowed"
ROUTE_TAKEN: Final = "RouteTaken"
ROUTES_NAMED: Final = 3
"""Routes of one service that a warning names."""


@dataclass(frozen=True, slots=True)
class DesiredIngress:
    """An Ingress that is to be written."""

    key: Key
    deployment: Key
    service: str
    desired: ObservedIngress
    observed: ObservedIngress | None
    """The one that is there, if it is the MillDeployment's own."""

    @property
    def claim(self) -> Claim:
        """The routes that it does not have yet."""
        has = frozenset(self.observed.routes) if self.observed is not None else frozenset()
        added = tuple(each for each in self.desired.routes if each not in has)
        return Claim(Holder(self.key, self.deployment, self.service, self.desired.ingress_class), added)


def host_problem(claim: Claim, rules: NamespaceRules) -> Problem | None:
    """Return why a namespace does not allow one of the hosts of a claim."""
    for each in claim.routes:
        if not rules.allows(each.host):
            return Problem("host", _not_allowed(each.host, claim.holder.ingress.namespace, rules))
    return None


def route_problem(conflict: Conflict, namespace: str) -> Problem:
    """Return why an Ingress of a namespace cannot have a route. Other namespaces are not named."""
    return Problem("route", f"route {conflict.route} belongs to {_named(conflict.holder, namespace)}")


def host_warnings(ingresses: Iterable[ObservedChild], rules: NamespaceRules) -> Iterator[StatusWarning]:
    """Yield a warning for each service with hosts that its namespace does not allow any more."""
    for child in ingresses:
        hosts = dict.fromkeys(each.host for each in child.ingress.routes) if child.ingress is not None else {}
        if refused := [host for host in hosts if not rules.allows(host)]:
            reason = _not_allowed(_listed(refused), child.key.namespace, rules)
            text = f"{reason}; the Ingress stays as it is, and no new one would be written"
            yield StatusWarning(service=child.service, code=HOST_NOT_ALLOWED, message=text)


def sharing_warning(
    child: ObservedChild, shared: Iterable[tuple[Route, Holder]], sharing: frozenset[str]
) -> StatusWarning | None:
    """Return a warning for a service with routes that other services have as well, without permission to share."""
    namespace = child.key.namespace
    rivals = [(route, each) for route, each in shared if not {namespace, each.ingress.namespace} <= sharing]
    if not rivals:
        return None
    routes, owner = _listed([str(route) for route, _ in rivals]), _named(rivals[0][1], namespace)
    text = f"{owner} has the same route: {routes}; Kubernetes does not define which of the two gets a request"
    return StatusWarning(service=child.service, code=ROUTE_TAKEN, message=text)


def _not_allowed(hosts: str, namespace: str, rules: NamespaceRules) -> str:
    if rules.problem:
        return f"whether namespace {namespace} allows {hosts} is not known: {rules.problem}"
    return f"namespace {namespace} does not allow {hosts}"


def _named(holder: Holder, namespace: str) -> str:
    if holder.ingress.namespace != namespace:
        return f"a {names.KIND} of another namespace"
    if holder.is_orphaned:
        return f'Ingress "{holder.ingress.name}", which is left of {names.KIND} "{holder.deployment.name}"'
    return f'service "{holder.service}" of {names.KIND} "{holder.deployment.name}"'


def _listed(texts: list[str]) -> str:
    more = len(texts) - ROUTES_NAMED
    return ", ".join(texts[:ROUTES_NAMED]) + (f" and {more} more" if more > 0 else "")
