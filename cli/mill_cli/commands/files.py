"""Files without a cluster: `validate`, `render`."""

from pathlib import Path
from typing import Final

import click

from mill_cli import files
from mill_cli.command import command
from mill_cli.commands.parameters import allow_empty_option, file_argument, file_option, inputs_options
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
