"""Files on their way in: how much is read of them, and which kind they are."""

import time
from pathlib import Path

import pytest

from mill_cli import files
from mill_cli.errors import CliError, Exit


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "x.mill"
    file.write_bytes(b"#" * files.MAX_BYTES)
    assert len(files.read(file).text) == files.MAX_BYTES
    file.write_bytes(b"#" * (files.MAX_BYTES + 1))
    with pytest.raises(CliError, match=r"x\.mill: more than 2,097,152 bytes") as raised:
        files.read(file)
    assert raised.value.code == Exit.FILE


def test_a_device_that_never_ends_is_refused() -> None:
    with pytest.raises(CliError, match="/dev/zero: more than 2,097,152 bytes"):
        files.read(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("text", "is_resource"),
    [
        (b"", False),
        (b"# only a comment", False),
        (b'service "web" {\n}\n', False),
        (b"\n# x\n  \napiVersion: mill.dev/v1alpha1\n", True),
        (b"---\nkind: MillDeployment\n", True),
        (b'{"kind": "MillDeployment"}', True),
        (b'"kind": MillDeployment', True),
        (b"%YAML 1.2\n---\n", True),
        (b"kind = 5\n", False),
    ],
)
def test_which_kind_a_file_without_a_suffix_is(tmp_path: Path, text: bytes, is_resource: bool) -> None:
    file = tmp_path / "file"
    file.write_bytes(text)
    assert files.read(file).is_resource is is_resource


def test_empty_lines_before_the_first_word_cost_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\n" * 1_000_000 + b"service")
    started = time.monotonic()
    assert not files.read(file).is_resource
    assert time.monotonic() - started < 5


def test_a_milldeployment_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mill_cli import document, resource

    read: list[str] = []

    def counted(data: bytes, filename: str) -> document.Document | None:
        read.append(filename)
        return document.read_document(data, filename)

    monkeypatch.setattr(resource, "read_document", counted)
    file = tmp_path / "x.yaml"
    file.write_text("apiVersion: mill.dev/v1alpha1\nkind: MillDeployment\nmetadata: {name: blue}\n")
    found = files.read(file)
    assert (found.spec().services, found.services(), found.resource.name) == ([], [], "blue")
    assert read == [str(file)]
