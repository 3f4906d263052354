"""How services are reached, as the end of a deploy shows it. Pure.

The gateway decides: `routes` has the URL of each route and what is wrong with it (`mill_gateway.core.reach`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from mill_cli.output.lines import prefix
from mill_cli.output.text import one_line
from mill_cli.services import ReportedService

MOST_LINES: Final = 12
MOST_COMMANDS: Final = 3
"""Number of commands that differ in the name of the service alone."""
_LONGEST: Final = 300
"""Characters of a URL or a problem."""


def reach_lines(services: Sequence[ReportedService], forward: Callable[[str], str], *, commands: bool) -> list[str]:
    """Return a line for each URL of the services that serve, and what to do about those that do not work.

    `forward` makes the command that forwards to a service. With `commands` it stands where a service has a port and no
    route; of many such services one line says it for all.
    """
    serving = [each for each in services if each.serving > 0]
    width = max((len(each.name) for each in serving), default=0)
    unrouted = [each for each in serving if not each.routes and each.port is not None]
    each_command = commands and len(unrouted) <= MOST_COMMANDS
    lines = [line for each in serving for line in _lines(each, width, forward, commands=each_command)]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = [f"  and {len(lines) - MOST_LINES + 1} more: `mill status` lists them"]
    if commands and not each_command:
        lines.append(f"  `{forward('SERVICE')}` reaches a service")
    troubled = next((each for each in serving if any(_text(route.problem) for route in each.routes)), None)
    if troubled is not None:
        lines.append(f"  help: `{forward(troubled.name)}` reaches a service without its route")
    return lines


def _lines(service: ReportedService, width: int, forward: Callable[[str], str], *, commands: bool) -> Iterator[str]:
    for each in service.routes:
        problem = _text(each.problem)
        yield f"{prefix(service.name, width)}{_text(each.url)}{f' ({problem})' if problem else ''}"
    for address in service.outside:
        yield f"{prefix(service.name, width)}{_text(address)}"
    if commands and not service.routes and service.port is not None:
        yield f"{prefix(service.name, width)}`{forward(service.name)}`"


def _text(value: str) -> str:
    return one_line(value)[:_LONGEST]
