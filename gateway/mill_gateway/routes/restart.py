"""`POST /v1/restart/{service}`: new pods for a service, one version after the other, as a deploy would."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.exceptions import AmbiguousService, ServiceNotFound
from mill_gateway.gateway import ReadyGateway
from mill_gateway.objects.deployments import Deployment
from mill_gateway.openapi import ROLLOUT, failures
from mill_gateway.routes.parameters import Detail, InNamespace, OfDeployment
from mill_gateway.services.deployments import asked_for
from mill_gateway.services.deployments import restart as ask_for_restart
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.rollout import rollout_response
from mill_kube.client import NotFound
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
    """Give a service new pods, from the same image and with the secrets' values of now, and stream the rollout.

    The old pods go when the new ones are ready. It lasts whatever manages the resource, since its spec stays as it is.
    The events are those of this service, whatever becomes of others that are tried again meanwhile.
    """
    deployments = gateway.stores.deployments
    having = [
        each for each in deployments.in_group(namespace) if name in (None, each.key.name) and each.has_service(service)
    ]
    # Asked for by its name where it is clear which, since rights may be given by name.
    which = having[0].key.name if len(having) == 1 else name

    async def may(who: Caller) -> None:
        await gateway.access.require(who, "patch", MILL_DEPLOYMENTS, namespace, which)
        if detail == "full":  # evidence is for who may get the resource
            await gateway.access.require(who, "get", MILL_DEPLOYMENTS, namespace, which)

    await may(caller)
    found = _only(having, service)
    with gateway.streams.take("rollout", caller) as place:
        try:
            written = await ask_for_restart(gateway.client, found.key, found.uid, service)
        except NotFound:
            raise ServiceNotFound from None
        deployments.put(written)
        guard, full = Guard(place, may), detail == "full"
        return rollout_response(gateway, found.key, *asked_for(written), guard=guard, full=full, only=service)


def _only(having: list[Deployment], service: str) -> Deployment:
    """Return the one deployment that has the service."""
    if not having:
        raise ServiceNotFound
    if len(having) > 1:
        which = ", ".join(each.key.name for each in having)
        raise AmbiguousService(f"several deployments have a service {service}: say which with `?name=` ({which})")
    return having[0]
