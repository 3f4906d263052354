"""`mill logs`: the logs of one name, or of all services at once."""

import queue
import threading
from collections.abc import Iterator

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.streams import EventStream, Request, ServerEvent
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line

COLORS = ("green", "yellow", "bold", "dim")


def print_logs(options: Options, name: str | None, *, follow: bool, tail: int | None) -> Exit:
    """Print the lines of a name, or of all services if it is None. Raise `CliError`."""
    query = {**options.where, "follow": "true" if follow else "false"}
    if tail is not None:
        query["tail"] = str(tail)
    with Gateway(options) as gateway:
        if name is not None:
            for event in _lines(gateway, name, query):
                _print(event, options, "")
            return Exit.SUCCESS
        services = [str(each["name"]) for each in gateway.get("/v1/services", **options.query)]
        if not services:
            if not options.as_json:
                screen.out("no services running")
            return Exit.SUCCESS
        return _show_all(gateway, services, query, follow=follow)


def _lines(gateway: Gateway, name: str, query: dict[str, str]) -> Iterator[ServerEvent]:
    """Yield the events of one name. Raise `CliError`."""
    notice = screen.note if gateway.options.verbose else None
    for event in EventStream(gateway, Request("GET", path("logs", name), query), ends=False, notice=notice):
        if event.name == "error":
            raise CliError(Exit.FAILED, event.text, "`mill status` lists services and tasks", kind="no_logs")
        yield event


def _show_all(gateway: Gateway, services: list[str], query: dict[str, str], *, follow: bool) -> Exit:
    """Print the lines of all services: one after the other, or with `follow` as they arrive."""
    result = Exit.SUCCESS
    for service, event in _as_they_arrive(gateway, services, query) if follow else _in_order(gateway, services, query):
        if isinstance(event, CliError):
            message = f"error reading logs for {one_line(service)}: {event}"
            as_json = gateway.options.as_json
            screen.note(screen.as_json(event.to_json() | {"error": message}) if as_json else message)
            result = event.code
        else:
            color = COLORS[services.index(service) % len(COLORS)]
            _print(event, gateway.options, screen.paint(f"[{one_line(service)}]", color) + " ")
    return result


LogItem = tuple[str, ServerEvent | CliError]


def _in_order(gateway: Gateway, services: list[str], query: dict[str, str]) -> Iterator[LogItem]:
    for service in services:
        try:
            for event in _lines(gateway, service, query):
                yield service, event
        except CliError as error:
            yield service, error


def _as_they_arrive(gateway: Gateway, services: list[str], query: dict[str, str]) -> Iterator[LogItem]:
    """Read all streams at once: an idle service must not block the others."""
    items: queue.Queue[LogItem | None] = queue.Queue(maxsize=1000)

    def read(service: str) -> None:
        for each in _in_order(gateway, [service], query):
            items.put(each)
        items.put(None)

    for service in services:
        threading.Thread(target=read, args=(service,), daemon=True).start()
    reading = len(services)
    while reading:
        item = items.get()
        if item is None:
            reading -= 1
        else:
            yield item


def _print(event: ServerEvent, options: Options, prefix: str) -> None:
    if options.as_json:
        screen.out_json(event.data or event.text)
    else:  # as the program wrote it, colors included
        screen.out(prefix + str(event.data.get("line", event.text)))
