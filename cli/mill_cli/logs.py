"""`mill logs`: the logs of one name, or of all services at once."""

import contextlib
import math
import queue
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.missing_names import near_names
from mill_cli.connection.streams import EventStream, Request, ServerEvent
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.log_lines import LineStyle, color_of
from mill_cli.output.text import one_line
from mill_cli.services import read_services

MOST_LINES: Final = 10_000
"""The gateway's limit of `tail`."""
_NOTHING: Final = "no allocations found"
"""How the gateway's answer about a name that nothing has begins, as in the original."""
LISTS: Final = "`mill status` lists services and tasks"

LogItem = tuple[str, ServerEvent | CliError]
"""A service, and an event of it, or why its lines cannot be read."""


@dataclass(frozen=True, slots=True)
class LogRequest:
    """The lines that the user wants."""

    name: str | None
    """A service, task, run or pod; None: all services."""
    follow: bool = False
    tail: int | None = None
    since: timedelta | None = None
    previous: bool = False
    """Only lines from before the last restart of each container."""
    grep: re.Pattern[str] | None = None
    """What a line must have."""
    prefix: bool | None = None
    """Whether the pod stands before each line; None: on a terminal, or the service with all services."""

    def query(self, options: Options) -> dict[str, str]:
        """Return the parameters of the route. A pattern alone is searched in as many lines as the gateway sends."""
        query = {**options.where, "follow": "true" if self.follow else "false"}
        tail = MOST_LINES if self.tail is None and self.since is None and self.grep else self.tail
        if tail is not None:
            query["tail"] = str(tail)
        if self.since is not None:
            query["since"] = str(math.ceil(self.since.total_seconds()))
        if self.previous:
            query["before_restart"] = "true"
        return query

    def style(self, *, interactive: bool) -> LineStyle:
        """Return how the lines are shown, on a terminal or elsewhere."""
        names_pods = interactive if self.prefix is None else self.prefix
        return LineStyle(names_pods, self.name is None and self.prefix is not False, self.grep)


def print_logs(options: Options, request: LogRequest) -> Exit:
    """Print lines. Raise `CliError`."""
    query, style = request.query(options), request.style(interactive=screen.interactive())
    with Gateway(options) as gateway:
        if request.name is not None:
            is_empty = True
            for event in _lines(gateway, request.name, query):
                is_empty = False
                _print(event, options, style, request.name)
            if is_empty and not options.as_json and not options.quiet:
                _explain_silence(gateway, request.name)
            return Exit.SUCCESS
        services = _services(gateway)
        if not services:
            if not options.as_json:
                screen.out("no services running")
            return Exit.SUCCESS
        read = _as_they_arrive if request.follow else _in_order
        return _show_all(gateway, read(gateway, services, query), style)


def _lines(gateway: Gateway, name: str, query: dict[str, str]) -> Iterator[ServerEvent]:
    """Yield the events of one name. Raise `CliError`."""
    notice = screen.note if gateway.options.verbose else None
    for event in EventStream(gateway, Request("GET", path("logs", name), query), ends=False, notice=notice):
        if event.name == "error":
            message = event.text
            if message.startswith(_NOTHING):
                message = f'no service, task, run or pod "{one_line(name)}"'
            raise CliError(Exit.FAILED, message, *_advice(gateway, name, event.text), kind="no_logs")
        yield event


def _explain_silence(gateway: Gateway, name: str) -> None:
    """Say on standard error why a service has no lines, if something is wrong with it."""
    try:
        services = read_services(gateway, **gateway.options.query, service=name)
    except CliError:
        return
    for each in services:
        if each.name == name and each.message:
            screen.note(f"{one_line(name)} has no lines: {each.short_cause}")


def _advice(gateway: Gateway, name: str, problem: str) -> list[str]:
    if problem.startswith(_NOTHING):
        with contextlib.suppress(CliError):
            return [*near_names("service", name, _services(gateway)), LISTS]
        return [LISTS]
    if problem.endswith("has restarted"):
        return ["the log of a pod that was replaced is gone with it"]
    return []


def _services(gateway: Gateway) -> list[str]:
    """Return the names of the services that there are. Raise `CliError`."""
    return [each.name for each in read_services(gateway, **gateway.options.query)]


def _show_all(gateway: Gateway, items: Iterator[LogItem], style: LineStyle) -> Exit:
    """Print the lines of several services."""
    result = Exit.SUCCESS
    for service, event in items:
        if isinstance(event, CliError):
            message = f"error reading logs for {one_line(service)}: {event}"
            as_json = gateway.options.as_json
            screen.note(screen.as_json(event.to_json() | {"error": message}) if as_json else message)
            result = event.code
        else:
            _print(event, gateway.options, style, service)
    return result


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


def _print(event: ServerEvent, options: Options, style: LineStyle, name: str) -> None:
    text = str(event.data.get("line", event.text))
    if not style.shows(text):
        return
    if options.as_json:
        screen.out_json(event.data or event.text)
        return
    label = style.label(event.data, name)
    prefix = screen.paint(f"[{label}]", color_of(label)) + " " if label else ""
    screen.out(prefix + text)  # as the program wrote it, colors included
