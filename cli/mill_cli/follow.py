"""A rollout shown to its end: as lines for whoever reads them later, live on a terminal, as JSON for programs."""

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.streams import RolloutStream, ServerEvent
from mill_cli.errors import CliError, Exit
from mill_cli.event_queue import EventQueue, ReplicaCounts, SuspendRequested
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.lines import LineOrderer, Messages, details
from mill_cli.output.text import one_line

ANSWER_SECONDS: Final = 0.05
"""How often it is asked whether a rollout has begun: nothing is drawn of one that is refused."""
LOOK_SECONDS: Final = 0.5
"""How often replicas are counted."""


def wants_details(options: Options) -> dict[str, str]:
    """Return the parameters of a stream, for what will be shown of it."""
    live = screen.interactive() and not options.as_json
    return {"detail": "full"} if options.verbose or live else {}


def follow(
    gateway: Gateway,
    make: Callable[[Callable[[str], None]], RolloutStream],
    services: Callable[[], Sequence[str]],
    messages: Messages,
) -> Exit:
    """Show a rollout and return how it went.

    `make` opens its stream and takes what is told when that is lost for a while; `services` returns the names in the
    order in which they are shown.
    """
    options = gateway.options
    show = _json if options.as_json else _live if screen.interactive() else _plain
    opened: list[RolloutStream] = []

    def open_(notice: Callable[[str], None]) -> RolloutStream:
        opened.append(make(notice))
        return opened[0]

    try:
        return Exit.GOOD if show(gateway, open_, services, messages) else Exit.FAILED
    except KeyboardInterrupt:
        if not opened:
            return Exit.INTERRUPTED
        goes_on = "the rollout goes on" if opened[0].headers else "if the rollout has begun, it goes on"
        screen.note(f"interrupted: {goes_on}; `{opened[0].watch_command}` joins it again")
        return Exit.STREAM_LOST


Open = Callable[[Callable[[str], None]], RolloutStream]
Names = Callable[[], Sequence[str]]


def _json(gateway: Gateway, make: Open, _services: Names, _messages: Messages) -> bool:
    success = False
    for event in make(_noticing(gateway.options)):
        screen.out_json({"event": event.name, "data": event.data or event.text})
        success = event.last and event.data.get("success") is True
    return success


def _plain(gateway: Gateway, make: Open, services: Names, messages: Messages) -> bool:
    options, items = gateway.options, EventQueue()
    items.read(make(_noticing(options)))
    orderer = LineOrderer(services(), messages)  # read meanwhile
    success = False
    for event in items.take(lambda: orderer.due):
        now = time.monotonic()
        if not isinstance(event, ServerEvent):
            lines = orderer.tick(now)
        else:
            lines = orderer.push(event.name, event.data, now)
            success = event.last and event.data.get("success") is True
        for line in lines:
            screen.out(line)
        if isinstance(event, ServerEvent) and event.name == "failed" and options.verbose:
            _explain(event)
    return success


def _explain(event: ServerEvent) -> None:
    service, *more = event.data.get("service"), *details(event.data)
    if service and more:
        screen.note("\n".join([f"  {one_line(str(service))}:", *more]))


def _live(gateway: Gateway, make: Open, services: Names, messages: Messages) -> bool:
    items, stream = EventQueue(), make(lambda _: None)
    items.read(stream)

    from mill_cli.output.live import LiveRollout  # rich takes a while, and meanwhile the gateway has the request

    waiting = items.take(lambda: time.monotonic() + ANSWER_SECONDS)
    first = next((each for each in waiting if each is not None or stream.headers), None)
    if not stream.headers:
        return False
    shown, over, success = LiveRollout(list(services()), messages), False, False
    with items.looking(lambda: _look(gateway, stream), LOOK_SECONDS), items.signals(), shown.shown():
        for item in itertools.chain([first], items.take(lambda: shown.due)):
            if isinstance(item, ServerEvent):
                shown.take(item.name, item.data)
                over, success = item.last, item.last and item.data.get("success") is True
            elif isinstance(item, ReplicaCounts):
                shown.count(item.services)
            elif isinstance(item, SuspendRequested):
                shown.pause()
            if time.monotonic() >= shown.due and not over:
                shown.draw(connected=stream.connected)
    return success


def _look(gateway: Gateway, stream: RolloutStream) -> list[dict[str, Any]] | None:
    """Return what the status says of the services, if it tells of this rollout: replicas are counted there."""
    namespace, name = stream.deployment
    try:
        detail = gateway.get(path("deployments", name), **({"namespace": namespace} if namespace else {}))
    except (CliError, RuntimeError):  # that is what httpx says of a client that is closed: it is over
        return None
    status = (detail.get("status") if isinstance(detail, dict) else None) or {}
    _, _, rollout = stream.headers.get("Mill-Rollout", "").partition(".")
    services = status.get("services")
    same = isinstance(services, list) and (status.get("rollout") or {}).get("id") == rollout
    return services if same else None


def _noticing(options: Options) -> Callable[[str], None]:
    return screen.note if options.verbose else lambda _: None
