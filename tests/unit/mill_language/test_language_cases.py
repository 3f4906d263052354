"""Every `.mill` file in `cases`: the valid ones beside their spec, the invalid ones beside their diagnostics.

Run with MILL_UPDATE_CASES=1 to rewrite the expectations; then review the difference.
"""

import json
import os
from pathlib import Path

import pytest

from mill_language import InvalidConfig, parse, render, service_names

CASES = Path(__file__).parent / "cases"
UPDATE = os.environ.get("MILL_UPDATE_CASES") == "1"


def _files(kind: str) -> list[Path]:
    return sorted((CASES / kind).glob("*.mill"))


def _expect(file: Path, actual: str) -> None:
    if UPDATE:
        file.write_text(actual, encoding="utf-8")
    assert actual == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", _files("valid"), ids=lambda file: file.stem)
def test_a_valid_file_has_the_spec_beside_it(file: Path) -> None:
    spec = parse(file.read_bytes(), filename=file.name)
    wire = spec.to_wire()
    _expect(file.with_suffix(".json"), json.dumps(wire, indent=2, ensure_ascii=False) + "\n")
    assert parse(render(spec)) == spec
    assert service_names(file.read_bytes()) == [service.name for service in spec.services]


@pytest.mark.parametrize("file", _files("invalid"), ids=lambda file: file.stem)
def test_an_invalid_file_has_the_diagnostics_beside_it(file: Path) -> None:
    text = file.read_bytes()
    with pytest.raises(InvalidConfig) as raised:
        parse(text, filename=file.name)
    rendered = raised.value.render(text.decode("utf-8", "replace"))
    _expect(file.with_suffix(".txt"), f"{raised.value}\n\n{rendered}\n")
    json.dumps([diagnostic.to_json() for diagnostic in raised.value.diagnostics])
