"""`mill render`: a file as a MillDeployment, in YAML, JSON or the language of `.mill` files."""

from typing import Any

import yaml

from mill_cli.files import File, InvalidFile, shown
from mill_cli.options import Options
from mill_cli.output import screen
from mill_language import InvalidConfig
from mill_language import render as render_mill

_COMPACT = "compact json"
"""The format of `--json`: one line, as all commands print JSON. `-o json` is indented, as kubectl prints it."""


def render(options: Options, file: File, output: str) -> None:
    """Print a file in a format: `yaml`, `json` or `mill`; `--json` overrides it. Raise `CliError`."""
    try:
        text = _render(file, _COMPACT if options.as_json else output, _metadata(file, options))
    except InvalidConfig as error:
        raise InvalidFile(error, file) from error
    if not file.is_resource and file.parsed.warnings and not options.quiet:
        colored = screen.colored_errors()
        screen.note(shown(InvalidConfig(file.parsed.warnings), file, color=colored), painted=colored)
    screen.out(text.removesuffix("\n"))


def _render(file: File, output: str, metadata: dict[str, str]) -> str:
    spec = file.spec()
    if output == "mill":
        return file.resource.as_mill() if file.is_resource else render_mill(spec)
    resource = spec.to_resource(metadata)
    if output == "yaml":
        return _to_yaml(resource)
    return screen.as_json(resource, indent=None if output == _COMPACT else 2)


def _to_yaml(resource: dict[str, Any]) -> str:
    text = str(yaml.safe_dump(resource, sort_keys=False, allow_unicode=True))
    if all(each.isprintable() or each == "\n" for each in text):
        return text
    return str(yaml.safe_dump(resource, sort_keys=False))  # escaped: a terminal obeys some of these characters


def _metadata(file: File, options: Options) -> dict[str, str]:
    """Return name and namespace from the options, or else from the file."""
    name, namespace = options.name, options.namespace
    if file.is_resource:
        name, namespace = name or file.resource.name, namespace or file.resource.namespace
    return {"name": name or "mill"} | ({"namespace": namespace} if namespace else {})
