"""`/v1/logs`: what programs have written, and what they write."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.log_lines import Progress, error_event, nothing_found
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.objects.pods import Program
from mill_gateway.openapi import events
from mill_gateway.routes.parameters import InNamespace, LastEventId, seen
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.logs import LogStream, Selection, Wanted
from mill_gateway.streams.response import event_stream
from mill_kube.resources import PODS
from mill_objects.key import Key

router = APIRouter(tags=["logs"])

MOST_LINES: Final = 10_000
EXAMPLE: Final = """\
data: {"alloc":"web-0","line":"listening on :3000","stream":"stdout","ts":"2026-02-14T10:00:01Z"}
id: 0a1b2c3d-dg2x5u7jgw0-1
"""


@router.get("/v1/logs/{name}", summary="Read logs", response_class=Response, responses=events(EXAMPLE))
async def logs(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    namespace: InNamespace,
    name: Annotated[str, Path(description="Name of a service, a task, a replica (pod) or a run.", examples=["web"])],
    *,
    follow: Annotated[bool, Query(description="Go on with what is written.")] = True,
    tail: Annotated[int, Query(ge=0, le=MOST_LINES, description="Last lines of each replica.")] = 200,
    previous: Annotated[
        bool, Query(description="Fill up with what a container wrote before it was started anew.")
    ] = True,
    last_event_id: LastEventId = None,
) -> Response:
    """Stream the lines of all replicas as events without a name: `{"alloc", "line", "stream", "ts"}`.

    With `follow` replicas that come later join, and containers that start anew go on; the stream of one run or replica
    ends with it. Kubernetes does not tell standard output and error apart: `stream` is always `stdout`. What nothing is
    called is no error of HTTP, but one event `error`.
    """
    selected = selection(gateway, namespace, name)

    async def may(who: Caller) -> None:
        await gateway.access.require(who, "get", PODS, namespace, selected.pod, "log")

    await may(caller)
    progress = seen(last_event_id, Progress.decode) if last_event_id else Progress()
    opened = gateway.metrics.streams.labels("logs")
    with gateway.streams.take("logs", caller, max(1, len(selected.pods(gateway.stores.pods)))) as place:
        guard = Guard(place, may, farewell=error_event)
        wanted = Wanted(tail=tail, follow=follow, previous=previous)
        stream = LogStream(gateway, selected, wanted, progress, place)
        if not stream.pods() and not (follow and _known(gateway, namespace, name)):
            return event_stream(_nothing(name), opened, guard=guard)
        return event_stream(stream.events(), opened, guard=guard)


async def _nothing(name: str) -> AsyncIterator[bytes]:
    yield nothing_found(name)


def selection(gateway: Gateway, namespace: str, name: str) -> Selection:
    """Find out whose logs a name means: of a service and a task that share it, of both.

    What is found here is what the right is asked for and what is read; nothing is looked up anew in between.
    """
    stores = gateway.stores
    run, pod = stores.jobs.get(Key(namespace, name)), stores.pods.get(Key(namespace, name))
    if run is not None:  # first: anybody who may make pods may give one the name of a run
        of_run = Program(namespace, "task", run.task)

        def over() -> bool:
            job = stores.jobs.get(run.key)
            return job is None or job.uid != run.uid or job.outcome is not None

        return Selection((of_run,), lambda each: each.run == name, over, run.key)
    if pod is not None:
        return Selection((pod.program,), lambda each: each.uid == pod.uid, lambda: True, pod=pod.key.name)
    programs = (Program(namespace, "service", name), Program(namespace, "task", name))
    return Selection(programs)


def _known(gateway: Gateway, namespace: str, name: str) -> bool:
    """Tell whether there is something of that name which may have replicas later."""
    if gateway.stores.jobs.get(Key(namespace, name)) is not None:
        return True
    deployments = gateway.stores.deployments.in_group(namespace)
    tasks = (task["name"] for each in deployments for task in each.tasks)
    return any(each.has_service(name) for each in deployments) or name in tasks
