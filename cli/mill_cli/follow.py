"""A rollout shown until it finishes: as plain lines, live on a terminal, or as JSON for programs."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from mill_api.durations import format_timedelta
from mill_cli.connection.client import Gateway, path
from mill_cli.connection.streams import Request, RolloutStream, ServerEvent
from mill_cli.errors import CliError, Exit, Interrupted
from mill_cli.event_queue import EventQueue, ObservedServices, SuspendRequested, TimeIsOver
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.lines import Messages
from mill_cli.output.moments import seconds_until
from mill_cli.output.plain import RESULTS, PlainRollout
from mill_cli.output.text import one_line

ANSWER_SECONDS: Final = 0.05
"""Seconds between two checks whether the gateway has answered: nothing is drawn of a request that is refused."""
STATUS_SECONDS: Final = 0.5
"""Seconds between two reads of the status."""
NOTICE_SECONDS: Final = 2.0
"""Seconds between two reads of the status for plain output, while something is wrong."""


@dataclass(frozen=True, slots=True)
class FollowedRollout:
    """A rollout and how it is shown."""

    gateway: Gateway
    stream: RolloutStream
    services: Callable[[], Sequence[str]]
    """Returns the names in the order of display. It is called after the request, since it may take a while."""
    messages: Messages
    timeout: timedelta | None = None
    """The time to wait for it; None without a limit."""


def open_stream(gateway: Gateway, request: Request, service: str | None = None) -> RolloutStream:
    """Return the stream of a request, with the details that will be shown. Iterating over it sends the request."""
    options = gateway.options
    live = _is_live(options)
    if options.verbose or live or _has_notices(options):
        request = replace(request, query=request.query | {"detail": "full"})
    notice = screen.note if options.verbose and not live else None
    return RolloutStream(gateway, request, service=service, notice=notice)


def follow(rollout: FollowedRollout) -> Exit:
    """Show a rollout until it finishes and return its result. Raise `CliError`."""
    options, stream, timeout = rollout.gateway.options, rollout.stream, rollout.timeout
    show = _show_json if options.as_json else _show_live if _is_live(options) else _show_plain
    items = EventQueue(None if timeout is None else time.monotonic() + timeout.total_seconds())
    try:
        success = show(rollout, items)
    except TimeIsOver:
        assert timeout is not None  # noqa: S101 - a queue without a deadline does not raise it
        message = f"the rollout has not finished after {format_timedelta(timeout)}"
        raise CliError(Exit.STREAM_LOST, message, _how_to_rejoin(stream), kind="timeout") from None
    except KeyboardInterrupt:
        if not stream.requested:
            return Exit.INTERRUPTED
        raise Interrupted(_how_to_rejoin(stream)) from None
    if stream.superseded and not (options.quiet or options.as_json):
        screen.note(_who_took_over(stream))
    return Exit.SUCCESS if success else Exit.FAILED


def send(stream: RolloutStream, options: Options) -> Exit:
    """Send the request of a rollout without waiting for it, and say how to follow it. Raise `CliError`."""
    stream.send_only()
    namespace, name = stream.deployment
    if options.as_json:
        screen.out_json({"namespace": namespace, "name": name, "rollout": stream.rollout})
    elif not options.quiet:
        where = one_line(f"{namespace}/{name}" if namespace else name)
        screen.note(f"rollout {one_line(stream.rollout)} of {where} is accepted; `{stream.watch_command}` follows it")
    return Exit.SUCCESS


def _who_took_over(stream: RolloutStream) -> str:
    """Return what a rollout that was superseded means, and how to see what came of it."""
    namespace, name = stream.deployment
    which = f"{namespace}/{name}" if namespace else name
    return (
        f"another deploy or restart of {which} has taken over: `{stream.watch_command}` follows it, "
        f"`mill history --rollouts{stream.where}` lists both"
    )


def _how_to_rejoin(stream: RolloutStream) -> str:
    state = "the rollout continues" if stream.headers else "if the rollout has started, it continues"
    return f"{state}; `{stream.watch_command}` follows it"


def _has_notices(options: Options) -> bool:
    """Whether standard error reports suspicions and causes: where nothing else shows them, unless `--quiet`."""
    return not (options.quiet or options.as_json or _is_live(options))


def _is_live(options: Options) -> bool:
    return screen.interactive() and not options.as_json and not options.quiet


def _show_json(rollout: FollowedRollout, items: EventQueue) -> bool:
    quiet, success = rollout.gateway.options.quiet, False
    items.read(rollout.stream)
    for event in items.receive(lambda: None):
        if not isinstance(event, ServerEvent):
            continue
        if not quiet or event.name in RESULTS:
            screen.out_json(event.to_json())
        success = event.succeeded
    return success


def _show_plain(rollout: FollowedRollout, items: EventQueue) -> bool:
    options = rollout.gateway.options
    items.read(rollout.stream)
    plain = PlainRollout(rollout.services(), rollout.messages, options)  # the stream is read meanwhile
    success = False
    with items.polling(lambda: _read_services(rollout) if plain.needs_status else None, NOTICE_SECONDS):
        try:
            for item in items.receive(lambda: plain.due):
                if isinstance(item, ServerEvent):
                    success = item.succeeded
                    plain.apply(item)
                elif isinstance(item, ObservedServices):
                    plain.observe(item)
                plain.print_due()
        except TimeIsOver:
            plain.print_rest()
            raise
    return success


def _show_live(rollout: FollowedRollout, items: EventQueue) -> bool:
    stream = rollout.stream
    items.read(stream)

    from mill_cli.output.live import LiveRollout  # noqa: PLC0415 - only a terminal needs it

    waiting = items.receive(lambda: time.monotonic() + ANSWER_SECONDS)
    first = next((each for each in waiting if each is not None or stream.headers), None)
    if not stream.headers:
        return False
    shown, over, success = LiveRollout(list(rollout.services()), rollout.messages), False, False
    with items.polling(lambda: _read_services(rollout), STATUS_SECONDS), items.signals(), shown.shown():
        for item in itertools.chain([first], items.receive(lambda: shown.due)):
            if isinstance(item, ServerEvent):
                shown.apply(item.name, item.data)
                over, success = item.last, item.succeeded
            elif isinstance(item, ObservedServices):
                shown.observe(item)
            elif isinstance(item, SuspendRequested):
                shown.pause()
            if time.monotonic() >= shown.due and not over:
                shown.draw(connected=stream.connected)
    return success


def _read_services(rollout: FollowedRollout) -> ObservedServices | None:
    """Return the services of the status; None if it is not the status of this rollout."""
    stream = rollout.stream
    namespace, name = stream.deployment
    try:
        where = {"namespace": namespace} if namespace else {}
        detail, server_time = rollout.gateway.get_with_time(path("deployments", name), **where)
    except (CliError, RuntimeError):  # RuntimeError: the client is closed: the rollout is over
        return None
    status = (detail.get("status") if isinstance(detail, dict) else None) or {}
    services, rollout_status = status.get("services"), status.get("rollout") or {}
    if not isinstance(services, list) or rollout_status.get("id") != stream.rollout:
        return None
    ahead = seconds_until(rollout_status.get("startedAt"), server_time)
    return ObservedServices(services, server_time, None if ahead is None else max(0.0, -ahead))
