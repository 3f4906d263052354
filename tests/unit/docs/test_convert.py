"""The example of docs/convert.md: a Compose file that is recognized, and a `.mill` file that is valid."""

import re
from pathlib import Path

import pytest

from mill_cli.resource import read_resource
from mill_language import InvalidConfig, parse

PAGE = (Path(__file__).parents[3] / "docs" / "convert.md").read_text()


def block(language: str) -> str:
    """Return the code of the page in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_compose_file_is_recognized() -> None:
    with pytest.raises(InvalidConfig, match="this looks like a Compose file"):
        read_resource(block("yaml").encode(), "compose.yaml")


def test_the_mill_file_is_valid() -> None:
    spec = parse(block("hcl"))
    assert [each.name for each in spec.services] == ["web", "db"]
