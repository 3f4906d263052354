"""Files without a cluster: `validate`, `render`."""

from pathlib import Path
from typing import Final

import click

from mill_cli import files
from mill_cli.command import command
from mill_cli.commands.rollouts import file_option, positional
from mill_cli.errors import Exit
from mill_cli.options import Options

SECTION: Final = "Files"
FORMATS: Final = ("yaml", "json", "mill")


def add(app: click.Group) -> None:
    """Add these commands."""

    @command(app, section=SECTION)
    @positional
    @file_option
    def validate(options: Options, path: Path | None, file: Path | None) -> Exit:
        """Check a file without a cluster, and show everything that is wrong with it.

        With --json each problem is one line, with its place, for editors.
        """
        from mill_cli.output import screen
        from mill_language import InvalidConfig

        read = files.read(files.choose(path, file))
        try:
            read.spec()
        except InvalidConfig as error:
            if options.as_json:
                for each in error.diagnostics:
                    screen.out_json(each.to_json())
            else:
                colored = screen.colored_errors()
                screen.note(files.shown(error, read, color=colored), painted=colored)
            return Exit.FAILED
        if not options.as_json:
            screen.out(f"{files.legible(read.name)}: good")
        return Exit.GOOD

    @command(app, section=SECTION)
    @positional
    @file_option
    @click.option("--output", "-o", type=click.Choice(FORMATS), default=FORMATS[0], help="What to write.")
    def render(options: Options, path: Path | None, file: Path | None, *, output: str) -> None:
        """Print a file as a MillDeployment, for kubectl and Git.

        \b
        Examples:
          mill render production.mill | kubectl apply -f -
          kubectl get md mill -o yaml | mill render - -o mill
        """
        from mill_cli.output import screen
        from mill_language import InvalidConfig

        read = files.read(files.choose(path, file))
        try:
            text = _rendered(read, "json" if options.as_json else output, options)
        except InvalidConfig as error:
            raise files.refusal(error, read) from error
        screen.out(text.removesuffix("\n"))


def _rendered(file: files.File, output: str, options: Options) -> str:
    from mill_cli.output import screen
    from mill_language import render

    spec, metadata = file.spec(), _metadata(file, options)
    if output == "mill":
        return file.resource.as_mill() if file.is_resource else render(spec)
    resource = spec.to_resource(metadata)
    if output == "json":
        return screen.as_json(resource, indent=None if options.as_json else 2)
    import yaml

    text = str(yaml.safe_dump(resource, sort_keys=False, allow_unicode=True))
    if all(each.isprintable() or each == "\n" for each in text):
        return text
    return str(yaml.safe_dump(resource, sort_keys=False))  # with escapes: a terminal obeys some of these characters


def _metadata(file: files.File, options: Options) -> dict[str, str]:
    """Return name and namespace: as asked for, or as the file has them."""
    name, namespace = options.name, options.namespace
    if file.is_resource:
        name, namespace = name or file.resource.name, namespace or file.resource.namespace
    return {"name": name or "mill"} | ({"namespace": namespace} if namespace else {})
