"""Lists, as a table or as JSON."""

from typing import Any

from mill_cli.connection.client import Gateway
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.columns import Columns


def show(options: Options, path: str, query: dict[str, str], columns: Columns, empty: str | None = None) -> None:
    """Print the list of a route, or `empty` for a list without entries. Raise `CliError`."""
    with Gateway(options) as gateway:
        show_all(options, gateway.get(path, **query), columns, empty)


def show_all(options: Options, found: Any, columns: Columns, empty: str | None = None) -> None:
    """Print a list as a table or as JSON."""
    if options.as_json:
        screen.out_json(found)
    else:
        screen.out(empty if empty is not None and not found else columns.show(found, screen.width()))
