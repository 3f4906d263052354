"""`POST /v1/restart/{service}`: new pods for a service, by a rolling update as in a deploy."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import ROLLOUT, failures
from mill_gateway.routes.parameters import Detail, InNamespace, OfDeployment
from mill_gateway.services.deployments import only_one
from mill_gateway.services.rollouts import RolloutQuery
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.rollout import rollout_response
from mill_kube.resources import MILL_DEPLOYMENTS

router = APIRouter(tags=["restart"])


@router.post(
    "/v1/restart/{service}",
    summary="Restart a service",
    response_class=Response,
    responses={**ROLLOUT, **failures(409)},
)
async def restart(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    namespace: InNamespace,
    service: Annotated[str, Path(description="Name of the service.", examples=["web"])],
    name: OfDeployment = None,
    detail: Detail = "default",
) -> Response:
    """Give a service new pods from the same image and with the current values of secrets, and stream the rollout.

    Old pods are removed when the new ones are ready. No GitOps tool reverts it, since the spec does not change.
    The stream has the events of this service alone.
    """
    having = [each for each in gateway.deployments.find(namespace, name) if each.has_service(service)]
    # Access is checked by name if there is only one, since RBAC rules may name resources.
    which = having[0].key.name if len(having) == 1 else name

    async def require(who: Caller) -> None:
        await gateway.access.require(who, "patch", MILL_DEPLOYMENTS, namespace, which)
        if detail == "full":  # evidence needs `get`
            await gateway.access.require(who, "get", MILL_DEPLOYMENTS, namespace, which)

    await require(caller)
    found = only_one(having, service, namespace)
    with gateway.streams.acquire("rollout", caller) as slots:
        written = await gateway.deployments.restart(found, service)
        query = RolloutQuery.of_written(found.key, written, full=detail == "full", service=service)
        opened = gateway.metrics.streams.labels("rollout")
        return rollout_response(gateway.stores.deployments, query, opened, Guard(slots, require))
