"""`/v1/logs`: logs of services, tasks, runs and replicas."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.log_lines import Progress, error_event, nothing_found
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import events
from mill_gateway.routes.parameters import InNamespace, LastEventId, parse_event_id
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.logs import LogQuery, LogStream
from mill_gateway.streams.response import event_stream
from mill_kube.resources import PODS

router = APIRouter(tags=["logs"])

MOST_LINES: Final = 10_000
EXAMPLE: Final = """\
data: {"alloc":"web-0","line":"listening on :3000","stream":"stdout","ts":"2026-02-14T10:00:01Z"}
id: 0a1b2c3d-dg2x5u7jgw0-1
"""


def _query(
    *,
    follow: Annotated[bool, Query(description="Stream new lines as they are written.")] = True,
    tail: Annotated[int, Query(ge=0, le=MOST_LINES, description="Number of last lines of each replica.")] = 200,
    previous: Annotated[
        bool, Query(description="Include lines from before a container's last restart if there are too few since.")
    ] = True,
) -> LogQuery:
    return LogQuery(tail=tail, follow=follow, previous=previous)


@router.get("/v1/logs/{name}", summary="Read logs", response_class=Response, responses=events(EXAMPLE))
async def logs(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    namespace: InNamespace,
    name: Annotated[str, Path(description="Name of a service, a task, a replica (pod) or a run.", examples=["web"])],
    query: Annotated[LogQuery, Depends(_query)],
    last_event_id: LastEventId = None,
) -> Response:
    """Stream the lines of all replicas as events without a name: `{"alloc", "line", "stream", "ts"}`.

    With `follow` later replicas and restarted containers are included; the stream of one run or replica ends with it.
    Kubernetes does not distinguish standard output and error: `stream` is always `stdout`. A name that does not exist
    is not an HTTP error, but one event `error`.
    """
    selected = gateway.logs.select(namespace, name)

    async def require(who: Caller) -> None:
        await gateway.access.require(who, "get", PODS, namespace, selected.pod, "log")

    await require(caller)
    progress = parse_event_id(last_event_id, Progress.decode) if last_event_id else Progress()
    opened = gateway.metrics.streams.labels("logs")
    with gateway.streams.acquire("logs", caller, max(1, len(selected.pods(gateway.stores.pods)))) as slots:
        guard = Guard(slots, require, encode_refusal=error_event)
        stream = LogStream(gateway.log_source, selected, query, progress, slots)
        if not stream.pods() and not (query.follow and gateway.logs.may_have_pods(namespace, name)):
            return event_stream(_nothing(name), opened, guard=guard)
        return event_stream(stream.events(), opened, guard=guard)


async def _nothing(name: str) -> AsyncIterator[bytes]:
    yield nothing_found(name)
