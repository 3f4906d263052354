"""Codes in the examples of the documentation exist."""

import re
from pathlib import Path

import pytest

from mill_api.pausing import PAUSED
from mill_operator.explanations import EXPLANATIONS

ROOT = Path(__file__).parents[3]
CODES = re.compile(r'"code": ?"([A-Z][A-Za-z]+)"|\bcode: ([A-Z][A-Za-z]+)\b|`mill explain ([A-Z][a-z][A-Za-z]+)`')
NAMED = [
    pytest.param(code, id=f"{path.name}-{code}")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for code in sorted({"".join(groups) for groups in CODES.findall(path.read_text(encoding="utf-8"))})
]


def test_examples_name_codes() -> None:
    assert len(NAMED) >= 3


@pytest.mark.parametrize("code", NAMED)
def test_a_code_of_an_example_exists(code: str) -> None:
    assert code in {*EXPLANATIONS, PAUSED}
