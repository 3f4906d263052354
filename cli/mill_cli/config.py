"""`mill validate` and `mill render`: a `.mill` file or a MillDeployment in YAML, without any cluster."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mill_api import names
from mill_api.language import InvalidConfig, parse
from mill_api.language import render as render_text
from mill_api.language.rules import problems
from mill_api.spec import MillDeploymentSpec
from mill_cli.deploy import read
from mill_cli.errors import CliError, Exit


class Format(StrEnum):
    """What `mill render` writes."""

    YAML = "yaml"
    JSON = "json"
    MILL = "mill"


def validate(file: Path, *, as_json: bool) -> Exit:
    """Show everything that is wrong with a file: for people on stderr, or for programs as one JSON line each."""
    text = read(file)
    try:
        load(text, str(file))
    except InvalidConfig as error:
        if as_json:
            for each in error.diagnostics:
                print(json.dumps(each.to_json()))
        else:
            print(error.render(text.decode(errors="replace"), color=sys.stderr.isatty()), file=sys.stderr)
        return Exit.FAILED
    if not as_json:
        print(f"{file}: good")
    return Exit.GOOD


def render(file: Path, name: str, format_: Format) -> None:
    """Print a file in another form: the resource for `kubectl` and Git, or a `.mill` file again."""
    text = read(file)
    try:
        spec = load(text, str(file))
    except InvalidConfig as error:
        raise CliError(Exit.FAILED, f"invalid config: {error}") from error
    if format_ is Format.MILL:
        print(render_text(spec), end="")
        return
    resource = {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name},
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True),
    }
    if format_ is Format.JSON:
        print(json.dumps(resource, indent=2))
    else:
        print(yaml.safe_dump(resource, sort_keys=False, allow_unicode=True), end="")


def load(text: bytes, filename: str) -> MillDeploymentSpec:
    """Read a `.mill` file, or a MillDeployment in YAML or JSON, told apart by the file's name.

    Raise `InvalidConfig` for the former, `CliError` for the latter.
    """
    if Path(filename).suffix not in (".yaml", ".yml", ".json"):
        return parse(text, filename=filename)
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CliError(Exit.FAILED, f"{filename}: {error}") from error
    return _spec(document, filename)


def _spec(document: Any, filename: str) -> MillDeploymentSpec:
    if not isinstance(document, dict) or document.get("kind") != names.KIND:
        raise CliError(Exit.FAILED, f"{filename}: not a {names.KIND}")
    try:
        spec = MillDeploymentSpec.model_validate(document.get("spec") or {})
    except ValidationError as error:
        found = [f"spec.{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    else:
        found = [str(each) for each in problems(spec)]
        if not found:
            return spec
    raise CliError(Exit.FAILED, "\n".join(f"{filename}: {each}" for each in found))
