"""What is generated is printed, written, or found stale."""

from pathlib import Path

import pytest

from mill_api.generated import command_line, deliver


def run(text: str, *arguments: str) -> int:
    return deliver(text, command_line("mill_test", "A test.").parse_args(arguments))


def test_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("text\n") == 0
    assert capsys.readouterr().out == "text\n"


def test_what_was_written_is_up_to_date_until_it_should_be_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "file"
    assert run("größer\n", "--check", str(file)) == 1
    assert run("größer\n", "--write", str(file)) == 0
    assert run("größer\n", "--check", str(file)) == 0
    assert capsys.readouterr().err == f"{file} is stale: run `make generate`\n"
    assert run("kleiner\n", "--check", str(file)) == 1
    assert file.read_bytes() == "größer\n".encode()


def test_writing_and_checking_at_once_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("", "--write", str(tmp_path / "a"), "--check", str(tmp_path / "a"))
    assert "python -m mill_test" in capsys.readouterr().err
