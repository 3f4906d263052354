"""Generated files are written, and found when they are out of date."""

from pathlib import Path

import pytest

from hack import generate
from hack.generate import Generated


def test_a_file_is_out_of_date_until_it_is_written_and_again_when_its_source_changes(tmp_path: Path) -> None:
    texts = ["größer\n"]
    files = [Generated("new/file", lambda: texts[0])]
    assert generate.stale(files, tmp_path) == ["new/file"]
    generate.write(files, tmp_path)
    assert generate.stale(files, tmp_path) == []
    assert (tmp_path / "new" / "file").read_bytes() == "größer\n".encode()
    texts[0] = "kleiner\n"
    assert generate.stale(files, tmp_path) == ["new/file"]


def test_every_file_that_needs_no_helm_is_up_to_date() -> None:
    assert generate.stale(generate.chosen([])) == []


def test_a_file_that_needs_helm_is_chosen_by_its_path_only() -> None:
    assert "deploy/mill.yaml" not in [each.path for each in generate.chosen([])]
    assert [each.path for each in generate.chosen(["deploy/mill.yaml"])] == ["deploy/mill.yaml"]


def test_a_path_that_is_not_generated_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        generate.main(["--check", "README.md"])
    assert "not a generated file: README.md" in capsys.readouterr().err


def test_each_file_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--print", "crds/milldeployments.yaml"]) == 0
    assert capsys.readouterr().out == (generate.ROOT / "crds/milldeployments.yaml").read_text()
