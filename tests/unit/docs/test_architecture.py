"""The journeys of docs/architecture.md name functions that exist."""

import importlib
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text()
JOURNEYS = PAGE.split("## Three journeys")[1].split("\n## ")[0]
NAMES = sorted(set(re.findall(r"`(mill_\w+(?:\.\w+)+)`", JOURNEYS)))


def _resolve(name: str) -> object:
    """Return the object of a dotted name: a module's, or an attribute's of one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute)
        return found
    raise AssertionError(f"no module {name}")


def test_there_are_three_of_them() -> None:
    assert JOURNEYS.count("\n### ") == 3
    assert len(NAMES) > 20


@pytest.mark.parametrize("name", NAMES)
def test_each_step_exists(name: str) -> None:
    assert _resolve(name) is not None
