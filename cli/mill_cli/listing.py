"""Lists, as a table or as JSON."""

from collections.abc import Iterable
from typing import Any

from mill_cli.connection.client import Gateway
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.columns import Columns
from mill_cli.output.text import one_line


def show(options: Options, path: str, query: dict[str, str], columns: Columns, empty: str | None = None) -> None:
    """Print the list of a route, or `empty` for a list without entries. Raise `CliError`."""
    with Gateway(options) as gateway:
        show_all(options, gateway.get(path, **query), columns, empty)


def print_names(names: Iterable[str]) -> None:
    """Print names or ids for a script, one per line."""
    for each in names:
        screen.out(one_line(str(each)))


def show_all(options: Options, found: Any, columns: Columns, empty: str | None = None) -> None:
    """Print a list as a table, as JSON, or with `--quiet` the names alone."""
    if options.as_json:
        screen.out_json(found)
    elif options.quiet:
        print_names(columns.cells(each)[0] for each in found)
    else:
        screen.out(empty if empty is not None and not found else columns.show(found, screen.width()))
