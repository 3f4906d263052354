"""The `.mill` language: text to spec with `parse`, spec to text with `render`.

- `source`, `recovery`, `syntax`, `strings`: bytes to typed syntax nodes with their places, by tree-sitter.
- `schema`, `values`, `decode`: syntax nodes to the fields of the spec, by a table.
- `durations`, `quantities`, `interpolation`: the small languages within values.
- `rules`: what the resource's schema cannot say; the operator checks it too.
- `diagnostics`: what is wrong, where, why, and what to do.
- `reference`, `samples`: docs/mill-file.md, made from all of these.
"""

from mill_api.language.diagnostics import Diagnostic, InvalidConfig, Related
from mill_api.language.parse import parse, service_names
from mill_api.language.render import render

__all__ = ["Diagnostic", "InvalidConfig", "Related", "parse", "render", "service_names"]
