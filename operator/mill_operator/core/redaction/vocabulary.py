"""Lists of words, which are data: `vocabulary.toml`."""

import tomllib
from importlib import resources
from typing import Final

_LISTS: Final[dict[str, str]] = tomllib.loads(
    resources.files("mill_operator.core.redaction").joinpath("vocabulary.toml").read_text(encoding="utf-8")
)


def words(name: str) -> frozenset[str]:
    """Return the words of a list."""
    return frozenset(_LISTS[name].split())
