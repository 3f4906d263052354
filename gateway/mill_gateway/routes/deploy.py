"""`POST /v1/deploy`: a `.mill` file in, the rollout's events out."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from mill_api.kube.resources import MILL_DEPLOYMENTS
from mill_api.language import InvalidConfig, parse
from mill_gateway.access import Calling
from mill_gateway.errors import Refused
from mill_gateway.gateway import Here
from mill_gateway.routes.parameters import Detail, Target
from mill_gateway.streams.rollout import rollout_response
from mill_gateway.write import write

router = APIRouter(tags=["deploy"])

BODY_LIMIT = 2 * 1024 * 1024


@router.post("/v1/deploy", summary="Deploy a .mill file", response_class=Response)
async def deploy(
    request: Request, gateway: Here, caller: Calling, target: Target, detail: Detail = "default"
) -> Response:
    """Write the MillDeployment and stream its rollout.

    The status is 200 from the moment the resource is written, whatever comes then: the verdict is in the stream's
    last event, `done {"success": …}`.
    """
    deployments = gateway.watched.deployments
    found = deployments.get(target)
    await gateway.access.require(caller, "patch" if found else "create", MILL_DEPLOYMENTS, *target)
    text = await _body(request)
    try:
        spec = await run_in_threadpool(parse, text)
    except InvalidConfig as error:
        problems = [each.to_json() for each in error.diagnostics]
        raise Refused(400, f"invalid config: {error}", diagnostics=problems) from error
    known = {"metadata": found.metadata, "spec": found.spec} if found else None
    written = deployments.learn(await write(gateway.client, target, spec, known))
    return rollout_response(deployments, target, written.uid, written.rollout_id, full=detail == "full")


async def _body(request: Request) -> bytes:
    """Read the body, and stop reading where it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise Refused(413, f"the file is larger than {BODY_LIMIT} bytes")
    return bytes(body)
