"""The examples of docs/mill-file.md: a whole file for each kind of block, in which each of its attributes is used.

A file is named for its block; `references` is a section, and `variable`, which also shows shared environments, needs a
value of `tag` and the file `staging.env`. Tests parse, render and format each of them. A new block needs a file here, a
new attribute a line in one.
"""

from importlib import resources
from typing import Final

_SUFFIX: Final = ".mill"

EXAMPLES: Final[dict[str, str]] = {
    file.name.removesuffix(_SUFFIX).replace("-", " "): file.read_text(encoding="utf-8")
    for file in sorted(resources.files(__name__).iterdir(), key=lambda file: file.name)
    if file.name.endswith(_SUFFIX)
}
"""The texts, by the name of the block."""
