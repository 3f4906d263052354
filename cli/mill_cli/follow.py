"""A rollout shown to its end: as lines for whoever reads them later, live on a terminal, as JSON for programs."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.streams import RolloutStream, ServerEvent
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.lines import Arrangement, Words, details


def wants_details(options: Options) -> dict[str, str]:
    """Return the parameters of a stream, for what will be shown of it."""
    live = screen.interactive() and not options.as_json
    return {"detail": "full"} if options.verbose or live else {}


def follow(
    gateway: Gateway,
    make: Callable[[Callable[[str], None]], RolloutStream],
    services: Callable[[], Sequence[str]],
    words: Words,
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
        return Exit.GOOD if show(gateway, open_, services, words) else Exit.FAILED
    except KeyboardInterrupt:
        joins = f"; `{opened[0].watch_command}` joins it again" if opened and opened[0].headers else ""
        screen.note(f"interrupted: the rollout goes on{joins}")
        return Exit.STREAM_LOST


Open = Callable[[Callable[[str], None]], RolloutStream]
Names = Callable[[], Sequence[str]]


def _json(gateway: Gateway, make: Open, _services: Names, _words: Words) -> bool:
    success = False
    for event in make(_noticing(gateway.options)):
        screen.out_json({"event": event.name, "data": event.data or event.text})
        success = event.last and event.data.get("success") is True
    return success


def _plain(gateway: Gateway, make: Open, services: Names, words: Words) -> bool:
    options = gateway.options
    arrived = _reading(make(_noticing(options)))
    arrangement = Arrangement(services(), words)  # read meanwhile
    success = False
    for event in _with_ticks(arrived, lambda: arrangement.due):
        now = time.monotonic()
        lines = arrangement.tick(now) if event is None else arrangement.push(event.name, event.data, now)
        for line in lines:
            screen.out(line)
        if event is not None and event.name == "failed" and options.verbose:
            _explain(event)
        success = event is not None and event.last and event.data.get("success") is True
    return success


def _explain(event: ServerEvent) -> None:
    service, *more = event.data.get("service"), *details(event.data)
    if service and more:
        screen.note("\n".join([f"  {service}:", *more]))


def _live(gateway: Gateway, make: Open, services: Names, words: Words) -> bool:
    from mill_cli.output.live import LiveRollout

    success, stream = False, make(lambda text: shown.notice(text))  # noqa: PLW0108 - there is none yet
    events = iter(stream)
    first = next(events, None)  # a refusal is told before anything is drawn
    with LiveRollout(list(services()), words, lambda: _look(gateway, stream)) as shown:
        while first is not None:
            shown.take(first.name, first.data)
            success = first.last and first.data.get("success") is True
            first = next(events, None)
    return success


def _look(gateway: Gateway, stream: RolloutStream) -> list[dict[str, Any]] | None:
    """Return what the status says of the services, if it can be had: replicas are counted there."""
    namespace, name = stream.deployment
    try:
        detail = gateway.get(path("deployments", name), **({"namespace": namespace} if namespace else {}))
    except CliError:
        return None
    services = (detail.get("status") or {}).get("services") if isinstance(detail, dict) else None
    return services if isinstance(services, list) else None


def _noticing(options: Options) -> Callable[[str], None]:
    return screen.note if options.verbose else lambda _: None


Arrived = queue.SimpleQueue[ServerEvent | BaseException | None]


def _reading(events: Iterable[ServerEvent]) -> Arrived:
    """Begin to read, and return where the events arrive; after the last comes None, or what went wrong."""
    arrived: Arrived = queue.SimpleQueue()

    def read() -> None:
        try:
            for event in events:
                arrived.put(event)
            arrived.put(None)
        except BaseException as error:  # noqa: BLE001 - handed on to the reader of the queue
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    return arrived


def _with_ticks(arrived: Arrived, due: Callable[[], float | None]) -> Iterator[ServerEvent | None]:
    """Yield the events, and None when a held line may wait no longer though no event comes."""
    while True:
        until = due()
        wait = None if until is None else max(0.0, until - time.monotonic())
        try:
            item = arrived.get(timeout=wait)
        except queue.Empty:
            yield None
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        yield item
