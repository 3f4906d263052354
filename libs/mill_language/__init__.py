"""The `.mill` language: text to spec with `parse`, spec to text with `render`.

The models of the spec take most of the time of an import. `service_names` needs none of them, and `mill deploy` needs
no more than that, so the other functions are imported at their first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from mill_language.diagnostics import Diagnostic, InvalidConfig, Related
from mill_language.reading import service_names

if TYPE_CHECKING:
    from mill_language.parser import parse, parse_file
    from mill_language.renderer import render

__all__ = ["Diagnostic", "InvalidConfig", "Related", "parse", "parse_file", "render", "service_names"]

_MODULES: Final = {
    "parse": "mill_language.parser",
    "parse_file": "mill_language.parser",
    "render": "mill_language.renderer",
}


def __getattr__(name: str) -> object:
    """Import a function at its first use. Raise `AttributeError` for any other name."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_MODULES[name]), name)
    return found
