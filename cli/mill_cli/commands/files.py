"""Files without a cluster: `validate`, `render`, `fmt`."""

from pathlib import Path
from typing import Final

import click

from mill_cli import files
from mill_cli.command import command
from mill_cli.commands.parameters import FILE, allow_empty_option, file_argument, file_option, inputs_options
from mill_cli.errors import Exit
from mill_cli.inputs import FileInputs
from mill_cli.options import Options

FORMATS: Final = ("yaml", "json", "mill")


@command()
@file_argument
@file_option
@inputs_options
@allow_empty_option
def validate(options: Options, path: Path | None, file: Path | None, *, inputs: FileInputs, allow_empty: bool) -> Exit:
    """Check a file without a cluster and show all problems.

    A file without any service or task is a problem, too: `mill deploy` refuses it. With --json each problem is one
    line, with its place, for editors.
    """
    from mill_cli.validation import validate as run

    return run(options, files.read(files.choose(path, file), inputs), allow_empty=allow_empty)


@command()
@file_argument
@file_option
@inputs_options
@click.option("--output", "-o", type=click.Choice(FORMATS), default=FORMATS[0], help="Output format.")
def render(options: Options, path: Path | None, file: Path | None, *, inputs: FileInputs, output: str) -> None:
    """Print a file as a MillDeployment, for kubectl and Git.

    Variables and shared environments are resolved: the output has their values.

    \b
    Examples:
      mill render production.mill | kubectl apply --server-side -f -
      mill render shop.mill --var tag=2.1 > shop.yaml
      kubectl get md mill -o yaml | mill render - -o mill
    """
    from mill_cli.rendering import render as run

    run(options, files.read(files.choose(path, file), inputs), output)


@command()
@click.argument(
    "paths",
    metavar="[FILE]...",
    type=FILE,
    nargs=-1,
    help="A .mill file; - is standard input, which is printed. [default: ./mill.conf, or else the one .mill file "
    "beside it]",
)
@click.option("--check", is_flag=True, help="Change nothing. Exit with 1 if a file has another layout.")
def fmt(options: Options, paths: tuple[Path, ...], *, check: bool) -> Exit:
    """Put .mill files into the canonical layout.

    The names of the files that change are printed. Only indentation, the alignment of `=` and of comments, and blank
    lines change: two spaces for each level, and one blank line around each block of several lines. Comments, heredocs
    and the meaning of a file stay as they are. A file with errors of syntax is not changed.

    \b
    Examples:
      mill fmt shop.mill blog.mill
      mill fmt --check
      mill fmt - < shop.mill
    """
    from mill_cli.formatting import fmt as run

    return run(options, paths or (files.choose(None, None),), check=check)
