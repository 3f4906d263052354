"""Sources of `.mill` files, in which `→` stands before the place that a message is about."""

import pytest

from mill_language import InvalidConfig
from mill_language.diagnostics import Diagnostic
from mill_language.inputs import Inputs
from mill_language.parser import parse_file


def web(*lines: str) -> str:
    """Return a service with these lines."""
    return "\n".join(['service "web" {', '  image = "web:1"', *(f"  {each}" for each in lines), "}"])


def found_at_the_arrow(source: str) -> tuple[str, str | None]:
    """Return the message and the suggestion of the one problem of a file. It is at the arrow."""
    with pytest.raises(InvalidConfig) as raised:
        parse_file(source.replace("→", "", 1), filename="shop.mill", inputs=Inputs())
    return _at_the_arrow(source, raised.value.diagnostics)


def warned_at_the_arrow(source: str) -> tuple[str, str | None]:
    """Return the message and the suggestion of the one warning of a file. It is at the arrow."""
    return _at_the_arrow(source, parse_file(source.replace("→", "", 1)).warnings)


def _at_the_arrow(source: str, diagnostics: tuple[Diagnostic, ...]) -> tuple[str, str | None]:
    (found,) = diagnostics
    before = source.partition("→")[0]
    assert (found.line, found.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    return found.message, found.help
