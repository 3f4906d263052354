"""`mill validate`: everything that is wrong with a file."""

from mill_cli import files
from mill_cli.empty_files import empty_file
from mill_cli.errors import Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_language import InvalidConfig


def validate(options: Options, file: files.File, *, allow_empty: bool) -> Exit:
    """Print the problems of a file, or that it has none."""
    found = _problems(file, allow_empty=allow_empty)
    if found is not None:
        if options.as_json:
            for each in found.diagnostics:
                screen.out_json(each.to_json())
        else:
            colored = screen.colored_errors()
            screen.note(files.shown(found, file, color=colored), painted=colored)
        return Exit.FAILED
    _print_warnings(options, file)
    if not options.as_json and not options.quiet:
        screen.out(f"{files.legible(file.name)}: valid")
    return Exit.SUCCESS


def _print_warnings(options: Options, file: files.File) -> None:
    """Print what is valid and may be a mistake."""
    warnings = () if file.is_resource else file.parsed.warnings
    if options.as_json:
        for each in warnings:
            screen.out_json(each.to_json())
    elif warnings:
        colored = screen.colored_errors()
        screen.note(files.shown(InvalidConfig(warnings), file, color=colored), painted=colored)


def _problems(file: files.File, *, allow_empty: bool) -> InvalidConfig | None:
    """Return the problems of a file; None if it has none."""
    try:
        spec = file.spec()
    except InvalidConfig as error:
        return error
    is_empty = not spec.services and not spec.tasks
    return InvalidConfig([empty_file(file)]) if is_empty and not allow_empty else None
