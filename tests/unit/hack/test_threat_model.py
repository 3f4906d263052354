"""The tests that the threat model names: each exists, under the name that docs/security.md gives."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
TEXT = (TESTS.parent / "docs" / "security.md").read_text()
FOLDERS = (TESTS, TESTS / "unit" / "mill_gateway")
"""Where the paths of the page start."""


def named() -> set[tuple[str, str]]:
    """Return the tests of the page as (file, function or class); `…` repeats the file before."""
    found, file = set(), ""
    for path, name in re.findall(r"`((?:[\w/]*\btest_\w+\.py)|…)(?:::([\w:]+))?`", TEXT):
        file = file if path == "…" else path
        found.add((file, name.rpartition(":")[2]))
    return found


def exists(file: str, name: str) -> bool:
    """Return whether there is such a file that defines this function or class."""
    sources = [(folder / file).read_text() for folder in FOLDERS if (folder / file).is_file()]
    return any(not name or re.search(rf"\b(?:def|class) {name}\b", source) for source in sources)


def test_every_test_that_the_page_names_exists() -> None:
    assert len(named()) > 40
    missing = sorted(each for each in named() if not exists(*each))
    assert not missing, "docs/security.md names tests that do not exist"
