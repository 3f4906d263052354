"""`version`."""

from mill_cli.command import command
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.version import number, text


@command()
def version(options: Options) -> None:
    """Show the version."""
    screen.out_json({"version": number()}) if options.as_json else screen.out(text())
