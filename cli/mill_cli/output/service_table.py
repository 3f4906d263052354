"""The table of services in `mill status`: as many of its columns as a terminal has room for. Pure.

In a narrow terminal the image and the addresses of a service have lines of their own below it, so that a tag or a URL
is not broken where there is room for it.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mill_cli.output.ages import age
from mill_cli.output.tables import table_rows
from mill_cli.output.text import one_line
from mill_cli.services import ReportedService

_INDENT: Final = "    "
_LAST_TO_LEAVE: Final = 4
_ENDED: Final = "stopped"
"""Status of replicas that are stopping."""


@dataclass(frozen=True, slots=True)
class _Column:
    header: str
    cell: Callable[[ReportedService], str]
    leaves: int = 0
    """When it leaves the table for want of room: 1 first; 0 never."""
    has_line: bool = False
    """Whether it then has a line below the service."""


def service_table(
    services: Sequence[ReportedService], now: float | None, width: int | None, *, namespaces: bool = False
) -> str:
    """Return the lines. `now` is the gateway's time in seconds since 1970, `width` that of a terminal.

    `namespaces`: they are of several namespaces.
    """
    columns = [
        _Column("NAME", lambda each: each.name),
        _Column("STATE", lambda each: each.state),
        _Column("SERVING", lambda each: f"{each.serving}/{each.desired}"),
        _Column("UPDATED", lambda each: f"{each.healthy}/{each.desired}"),
        _Column("RESTARTS", lambda each: str(_restarts(each))),
        _Column("AGE", lambda each: age(each.created_at, now), leaves=4),
        _Column("CHANGED", lambda each: age(each.changed_at, now), leaves=3),
        _Column("IMAGE", image, leaves=2, has_line=True),
        _Column("ADDRESS", addresses, leaves=1, has_line=True),
    ]
    if len({(each.namespace, each.deployment) for each in services}) > 1:
        columns.insert(0, _Column("DEPLOYMENT", lambda each: each.deployment))
    if namespaces:
        columns.insert(0, _Column("NAMESPACE", lambda each: each.namespace))
    columns = [each for each in columns if any(map(each.cell, services))]  # the original reports less
    below: list[_Column] = []
    for leaving in range(1, _LAST_TO_LEAVE + 1):
        if width is None or _natural_width(columns, services) <= width:
            break
        below = [each for each in columns if each.leaves == leaving and each.has_line] + below
        columns = [each for each in columns if each.leaves != leaving]
    cells = [[each.cell(service) for each in columns] for service in services]
    header, *rows = table_rows([each.header for each in columns], cells, width)
    lines = list(header)
    for service, row in zip(services, rows, strict=True):
        lines += row
        lines += _below([each.cell(service) for each in below], width)
    return "\n".join(lines)


def image(service: ReportedService) -> str:
    """Return the image that serves, and the one to which it is updated: `web:2 -> 3`."""
    wanted = service.image
    if not service.update:
        return wanted
    serving = list(service.serving_images)
    if serving in ([], [wanted]):
        return wanted
    before, _, tag = wanted.rpartition(":")
    is_same = len(serving) == 1 and "/" not in tag and serving[0].rpartition(":")[0] == before != ""
    return f"{', '.join(serving)} -> {tag if is_same else wanted}"


def addresses(service: ReportedService) -> str:
    """Return where a service is reached: by its name in the cluster, and by its URLs."""
    inside = [f"{service.name}.{service.namespace}:{service.port}"] if service.port and service.namespace else []
    return " ".join([*inside, *(each.url for each in service.routes), *service.outside])


def _restarts(service: ReportedService) -> int:
    return sum(each.restarts for each in service.pods if each.status != _ENDED)


def _natural_width(columns: Sequence[_Column], services: Sequence[ReportedService]) -> int:
    return sum(2 + max(map(len, (each.header, *(one_line(each.cell(one)) for one in services)))) for each in columns)


def _below(texts: Sequence[str], width: int | None) -> list[str]:
    """Return the lines below a row: one for all texts if they fit, else one for each, which is wrapped."""
    shown = [text for each in texts if (text := one_line(each))]
    together = _INDENT + "  ".join(shown)
    if not shown or width is None or len(together) <= width:
        return [together] if shown else []
    return [line for each in shown for line in _wrapped(each, max(20, width))]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)
