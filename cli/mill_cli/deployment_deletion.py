"""`mill delete`: a MillDeployment with its services and tasks, followed until its pods are gone."""

import shlex
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from mill_api.durations import format_timedelta
from mill_cli.connection.client import Gateway, path
from mill_cli.connection.failures import Refused
from mill_cli.connection.streams import EventStream, Request, ServerEvent
from mill_cli.consent import Consent
from mill_cli.errors import CliError, Exit, Interrupted
from mill_cli.event_queue import EventQueue, TimeIsOver
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.lines import Messages, line
from mill_cli.output.plain import RESULTS
from mill_cli.output.plans import kept_volumes
from mill_cli.output.text import one_line
from mill_cli.plans import is_forbidden
from mill_cli.question import ask

MESSAGES = Messages("deleted", "delete finished with errors")
MISSING = 404
NOT_ALLOWED = 405


def delete(options: Options, consent: Consent, *, timeout: timedelta | None) -> Exit:
    """Say what is deleted and kept, ask on a terminal, delete, and follow the deletion. Raise `CliError`."""
    request = Request("DELETE", path("deployments", options.deployment), options.where | consent.query)
    with Gateway(options) as gateway:
        name = _show_plan(gateway, request)
        if not consent.yes:
            ask(f"delete {name}?", is_stdin_taken=False)
        stream = EventStream(gateway, request, notice=screen.note if options.verbose else None)
        try:
            return Exit.SUCCESS if _follow(options, stream, timeout) else Exit.FAILED
        except CliError as error:
            if not _is_gone(error, stream):
                raise
            if not options.as_json:
                screen.out(MESSAGES.last_line({"success": True}))
            return Exit.SUCCESS
        except KeyboardInterrupt:
            raise Interrupted(f"the deletion of {name} continues") from None
        except TimeIsOver:
            assert timeout is not None  # noqa: S101 - a queue without a deadline does not raise it
            message = f"the deletion has not finished after {format_timedelta(timeout)}"
            raise CliError(Exit.STREAM_LOST, message, "the deletion continues", kind="timeout") from None


def _show_plan(gateway: Gateway, request: Request) -> str:
    """Print what will be deleted and kept, and return the name of the MillDeployment. Raise `CliError`."""
    options = gateway.options
    given = one_line("/".join(each for each in (options.namespace, options.deployment) if each))
    try:
        planned = gateway.request(request.method, request.path, query=request.query | {"plan": "true"})
    except Refused as error:
        if error.status == NOT_ALLOWED:
            where = f" --namespace {shlex.quote(options.namespace)}" if options.namespace else ""
            raise CliError(
                Exit.FAILED,
                "this gateway is of an earlier release, which deletes no deployments",
                f"use `kubectl{where} delete milldeployment {shlex.quote(options.deployment)}`",
            ) from error
        if not is_forbidden(error):
            raise
        if not options.quiet:
            screen.note(f"delete {given}: what it has is unknown without the right to get the MillDeployment")
        return given
    name = one_line(f"{planned['namespace']}/{planned['name']}")
    if not options.quiet:
        screen.note("\n".join(_plan_lines(name, planned)))
    return name


def _plan_lines(name: str, planned: dict[str, Any]) -> Iterator[str]:
    counts = [
        f"{len(planned[kind])} {kind if len(planned[kind]) != 1 else kind[:-1]}"
        for kind in ("services", "tasks")
        if planned[kind]
    ]
    yield f"delete {name}: {', '.join(counts) or 'no services'}"
    for kind in ("services", "tasks"):
        for each in planned[kind]:
            yield f"  - {kind[:-1]} {one_line(str(each))}"
    if volumes := [one_line(str(each)) for each in planned["volumes_kept"]]:
        yield f"  {kept_volumes(volumes)}"
    yield "  secrets of the namespace: kept"


def _follow(options: Options, stream: EventStream, timeout: timedelta | None) -> bool:
    """Print the events of a deletion, and return whether it has succeeded."""
    items = EventQueue(None if timeout is None else time.monotonic() + timeout.total_seconds())
    items.read(stream)
    success = False
    for event in items.receive(lambda: None):
        if not isinstance(event, ServerEvent):
            continue
        success = event.succeeded
        if options.quiet and event.name not in RESULTS:
            continue
        if options.as_json:
            screen.out_json(event.to_json())
        elif event.last:
            screen.out(MESSAGES.last_line(event.data))
        elif (text := line(event.name, event.data, 0)) is not None:
            screen.out(text)
    return success


def _is_gone(error: CliError, stream: EventStream) -> bool:
    """Whether a stream that was lost is not resumed because the deletion has ended meanwhile."""
    cause = error.__cause__
    return bool(stream.headers) and isinstance(cause, Refused) and cause.status == MISSING
