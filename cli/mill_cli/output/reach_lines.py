"""How services are reached, as the end of a deploy shows it. Pure.

The gateway decides: `routes` has the URL of each route and what is wrong with it (`mill_gateway.core.reach`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from mill_cli.output.lines import prefix
from mill_cli.output.text import one_line

MOST_LINES: Final = 12
MOST_COMMANDS: Final = 3
"""Number of commands that differ in the name of the service alone."""
_LONGEST: Final = 300
"""Characters of a URL or a problem."""


def reach_lines(services: Sequence[Any], forward: Callable[[str], str], *, commands: bool) -> list[str]:
    """Return a line for each URL of the services that serve, and what to do about those that do not work.

    `services` is the answer of `/v1/services`, `forward` makes the command that forwards to a service. With `commands`
    it stands where a service has a port and no route; of many such services one line says it for all.
    """
    serving = [each for each in services if isinstance(each, Mapping) and _serves(each)]
    width = max((len(str(each.get("name"))) for each in serving), default=0)
    unrouted = [each for each in serving if not _routes(each) and isinstance(each.get("port"), int)]
    each_command = commands and len(unrouted) <= MOST_COMMANDS
    lines = [line for each in serving for line in _lines(each, width, forward, commands=each_command)]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = [f"  and {len(lines) - MOST_LINES + 1} more: `mill status` lists them"]
    if commands and not each_command:
        lines.append(f"  `{forward('SERVICE')}` reaches a service")
    troubled = next((each for each in serving if any(_problem(route) for route in _routes(each))), None)
    if troubled is not None:
        lines.append(f"  help: `{forward(str(troubled.get('name')))}` reaches a service without its route")
    return lines


def _lines(service: Mapping[str, Any], width: int, forward: Callable[[str], str], *, commands: bool) -> Iterator[str]:
    name, routes = str(service.get("name")), _routes(service)
    for each in routes:
        problem = _problem(each)
        yield f"{prefix(name, width)}{_text(each.get('url'))}{f' ({problem})' if problem else ''}"
    if commands and not routes and isinstance(service.get("port"), int):
        yield f"{prefix(name, width)}`{forward(name)}`"


def _serves(service: Mapping[str, Any]) -> bool:
    replicas = service.get("replicas")
    serving = replicas.get("serving") if isinstance(replicas, Mapping) else None
    return isinstance(serving, int) and serving > 0


def _routes(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: Iterable[Any] = routes if isinstance(routes := service.get("routes"), list) else ()
    return [each for each in found if isinstance(each, Mapping)]


def _problem(route: Mapping[str, Any]) -> str:
    return _text(route.get("problem"))


def _text(value: object) -> str:
    return one_line(value)[:_LONGEST] if isinstance(value, str) else ""
