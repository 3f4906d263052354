"""A sign of life on a terminal: what is about to be asked of which gateway, before the modules for it are imported."""

from mill_cli.connection.target import target
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line


def announce(options: Options, what: str) -> None:
    """Print `deploying shop.mill to http://…`, unless standard error is read later. Raise `CliError` for bad options.

    `what` ends where the place of the gateway begins.
    """
    if options.quiet or options.as_json or not screen.interactive_errors():
        return
    text = one_line(f"{what} {target(options).place}")
    colored = screen.colored_errors()
    screen.note(screen.styled(text, "dim") if colored else text, painted=colored)
