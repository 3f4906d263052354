"""`/v1/logs`: logs of services, tasks, runs and replicas."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.log_lines import Progress, error_event, nothing_found, nothing_restarted, seconds_ago
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import events
from mill_gateway.routes.parameters import InNamespace, LastEventId, parse_event_id
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.logs import LogQuery, LogStream
from mill_gateway.streams.response import event_stream
from mill_kube.resources import PODS

router = APIRouter(tags=["logs"])

LINES: Final = 200
MOST_LINES: Final = 10_000
LONGEST_AGO: Final = 10 * 366 * 24 * 3600
EXAMPLE: Final = """\
data: {"alloc":"web-0","line":"listening on :3000","stream":"stdout","ts":"2026-02-14T10:00:01Z"}
id: 0a1b2c3d-dg2x5u7jgw0-1
"""


def _query(
    *,
    follow: Annotated[bool, Query(description="Stream new lines as they are written.")] = True,
    tail: Annotated[
        int | None,
        Query(
            ge=0,
            le=MOST_LINES,
            description="Number of last lines of each replica. The default is 200; with `since` it is all.",
        ),
    ] = None,
    previous: Annotated[
        bool, Query(description="Include lines from before a container's last restart if there are too few since.")
    ] = True,
    since: Annotated[
        int | None, Query(ge=1, le=LONGEST_AGO, description="Only lines of the last so many seconds.")
    ] = None,
    before_restart: Annotated[
        bool,
        Query(description="Only lines from before the last restart of each container; they are not followed."),
    ] = False,
) -> LogQuery:
    return LogQuery(
        tail=LINES if tail is None and since is None else tail,
        follow=follow and not before_restart,
        previous=previous,
        since=None if since is None else seconds_ago(since, datetime.now(UTC)),
        before_restart=before_restart,
    )


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
    is not an HTTP error, but one event `error`. So is a run that has no lines because it never started, or because its
    logs are gone with its pod; the event has the reason.
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

        def why() -> bytes | None:
            reason = gateway.runs.why_no_lines(namespace, name)
            if reason is not None:
                return error_event(reason)
            return nothing_restarted(name) if query.before_restart and stream.pods() else None

        if not stream.pods() and not (query.follow and gateway.logs.may_have_pods(namespace, name)):
            return event_stream(_only(why() or nothing_found(name)), opened, guard=guard)
        events = stream.events()
        return event_stream(events if last_event_id else _explained(events, why), opened, guard=guard)


async def _only(event: bytes) -> AsyncIterator[bytes]:
    yield event


async def _explained(events: AsyncIterator[bytes], why: Callable[[], bytes | None]) -> AsyncIterator[bytes]:
    """Yield events; if there is none, the event that says why, if that is known."""
    is_empty = True
    async for each in events:
        is_empty = False
        yield each
    if is_empty and (event := why()) is not None:
        yield event
