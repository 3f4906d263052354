"""Lists of what there is, as a table or as JSON; and single things that go."""

from typing import Any

from mill_cli.connection.client import Gateway
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.views import View


def show(options: Options, path: str, query: dict[str, str], view: View, empty: str | None = None) -> None:
    """Print what a route lists; for people, `empty` if that is nothing."""
    with Gateway(options) as gateway:
        show_all(options, gateway.get(path, **query), view, empty)


def show_all(options: Options, found: Any, view: View, empty: str | None = None) -> None:
    """Print a list."""
    if options.as_json:
        screen.out_json(found)
    else:
        screen.out(empty if empty is not None and not found else view.show(found, screen.width()))


def delete(options: Options, path: str, query: dict[str, str], done: str, *, always: bool = False) -> None:
    """Delete something, and tell the person; `always`: with `--json`, too, as the original does of some things."""
    with Gateway(options) as gateway:
        gateway.request("DELETE", path, query=query)
    if always or not options.as_json:
        screen.note(done)
