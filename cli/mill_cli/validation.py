"""`mill validate`: everything that is wrong with a file."""

from mill_cli import files
from mill_cli.errors import Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_language import InvalidConfig


def validate(options: Options, file: files.File) -> Exit:
    """Print the problems of a file, or that it has none."""
    try:
        file.spec()
    except InvalidConfig as error:
        if options.as_json:
            for each in error.diagnostics:
                screen.out_json(each.to_json())
        else:
            colored = screen.colored_errors()
            screen.note(files.shown(error, file, color=colored), painted=colored)
        return Exit.FAILED
    if not options.as_json and not options.quiet:
        screen.out(f"{files.legible(file.name)}: valid")
    return Exit.SUCCESS
