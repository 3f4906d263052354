"""The gate that each write of an Ingress passes: allowed hosts, and routes that no other Ingress has."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from mill_api.status import StatusWarning
from mill_kube.errors import KubeError
from mill_objects.key import Key
from mill_operator.children.write_memory import WriteMemory
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import Plan
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.ingresses import ObservedIngress, project_ingress
from mill_operator.core.routes.admission import (
    HOST_NOT_ALLOWED,
    ROUTE_TAKEN,
    DesiredIngress,
    host_problem,
    host_warnings,
    route_problem,
    sharing_warning,
)
from mill_operator.core.routes.index import RouteIndex
from mill_operator.core.verdicts.rule_input import Problem
from mill_operator.namespaces import NamespaceRulesLookup
from mill_operator.renderer import Renderer

SHARING_NAMESPACES: Final = 20
"""Other namespaces that are looked up for one reconciliation. A route that more share stays with those."""


class RouteGate:
    """Decides which Ingresses may be written, and reserves their routes for the time of the writes."""

    def __init__(self, index: RouteIndex, namespaces: NamespaceRulesLookup) -> None:
        self._index = index
        self._namespaces = namespaces

    async def admit(self, deployment: Key, ingresses: Sequence[DesiredIngress]) -> dict[Key, Problem]:
        """Return why Ingresses of a MillDeployment must not be written, by their keys. The others have their routes.

        Call `release` when they are written. Raise `KubeError` if the rules of a namespace are not known.
        """
        claims = [claim for each in ingresses if (claim := each.claim).routes]
        if not claims:
            self._index.forget(deployment)
            return {}
        rules = await self._namespaces.rules(deployment.namespace)
        refused = {claim.holder.ingress: problem for claim in claims if (problem := host_problem(claim, rules))}
        claims = [claim for claim in claims if claim.holder.ingress not in refused]
        rivals = (rival.ingress.namespace for claim in claims for rival in self._index.holders(claim))
        sharing = await self._sharing(deployment.namespace, rivals)
        conflicts = self._index.claim(deployment, claims, sharing)
        return refused | {key: route_problem(each, deployment.namespace) for key, each in conflicts.items()}

    async def admitted(self, deployment: Key, todo: Plan, memory: WriteMemory, renderer: Renderer) -> Plan:
        """Return a plan without the Ingresses that must not be written, and note why. See `admit`."""
        ingresses = await self._desired(deployment, todo, memory, renderer)
        problems = await self.admit(deployment, [*ingresses.values()])
        for child, each in ingresses.items():
            if (problem := problems.get(child.key)) is not None:
                memory.refuse_ingress(child, problem, each.desired)
            else:
                memory.admit_ingress(child)
        return todo.without([child for child in ingresses if child.key in problems])

    async def _desired(
        self, deployment: Key, todo: Plan, memory: WriteMemory, renderer: Renderer
    ) -> dict[ChildObject, DesiredIngress]:
        """Return the Ingresses of a plan. Those that were refused before are not rendered again."""
        planned: list[tuple[ChildObject, ObservedIngress | None]] = [(child, None) for child in todo.create]
        planned += [(child, observed.ingress) for child, observed in todo.update]
        found: dict[ChildObject, DesiredIngress] = {}
        for child, observed in planned:
            if child.kind != "Ingress":
                continue
            desired = memory.refused_ingresses.get(child.applied)
            if desired is None and (body := await renderer.body(child)) is not None:
                desired = project_ingress(body["spec"])
            if desired is not None:
                found[child] = DesiredIngress(child.key, deployment, child.service or "", desired, observed)
        return found

    def release(self, deployment: Key) -> None:
        """Give the reservations up: the Ingresses are written, or refused."""
        self._index.release(deployment)

    def forget(self, deployment: Key) -> None:
        """Forget a MillDeployment that is gone."""
        self._index.forget(deployment)

    async def warnings(
        self, namespace: str, ingresses: Sequence[ObservedChild], before: Iterable[StatusWarning]
    ) -> list[StatusWarning]:
        """Return the warnings of a MillDeployment's Ingresses; those of before if the API server is away."""
        try:
            return [each async for each in self._warnings(namespace, ingresses)] if ingresses else []
        except KubeError:
            return [each for each in before if each.code in (HOST_NOT_ALLOWED, ROUTE_TAKEN)]

    async def _warnings(self, namespace: str, ingresses: Sequence[ObservedChild]) -> AsyncIterator[StatusWarning]:
        for each in host_warnings(ingresses, await self._namespaces.rules(namespace)):
            yield each
        for child in ingresses:
            if shared := [*self._index.shared(child.key)]:
                sharing = await self._sharing(namespace, (rival.ingress.namespace for _, rival in shared))
                if (warning := sharing_warning(child, shared, sharing)) is not None:
                    yield warning

    async def _sharing(self, namespace: str, others: Iterable[str]) -> frozenset[str]:
        """Return which of these namespaces permit that their routes are shared; none if the first does not."""
        if not (await self._namespaces.rules(namespace)).shares_routes:
            return frozenset()
        asked = [*dict.fromkeys((namespace, *others))][: SHARING_NAMESPACES + 1]
        return frozenset([each for each in asked if (await self._namespaces.rules(each)).shares_routes])
