"""The `.mill` language: text to spec with `parse`, spec to text with `render`."""

from mill_language.diagnostics import Diagnostic, InvalidConfig, Related
from mill_language.parse import parse, service_names
from mill_language.render import render

__all__ = ["Diagnostic", "InvalidConfig", "Related", "parse", "render", "service_names"]
