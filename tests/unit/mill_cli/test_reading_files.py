"""Files on their way in: how much is read of them, and which kind they are."""

import time
from pathlib import Path

import pytest

from mill_api.limits import MILL_FILE_BYTES
from mill_cli import files
from mill_cli.errors import CliError, Exit


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    for name, limit, message in (
        ("x.yaml", files.MAX_BYTES, "more than 2,097,152 bytes"),
        ("x.mill", MILL_FILE_BYTES, "262,145 bytes; a .mill file has at most 262,144"),
    ):
        file = tmp_path / name
        file.write_bytes(b"#" * limit)
        assert len(files.read(file).text) == limit
        file.write_bytes(b"#" * (limit + 1))
        with pytest.raises(CliError, match=f"{name}: {message}") as raised:
            files.read(file)
        assert raised.value.code == Exit.FILE


def test_a_mill_file_above_both_limits_is_refused_with_its_own(tmp_path: Path) -> None:
    file = tmp_path / "x.mill"
    file.write_bytes(b"#" * (files.MAX_BYTES + 1))
    with pytest.raises(CliError, match=r"more than 2,097,152 bytes; a \.mill file has at most 262,144$"):
        files.read(file)


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
        (b"services:\n  web: {}\n", True),
        (b"// x\ntask migrate {\n", False),
        (b"a = b ? c : d\n", False),
    ],
)
def test_which_kind_a_file_without_a_suffix_is(tmp_path: Path, text: bytes, is_resource: bool) -> None:
    file = tmp_path / "file"
    file.write_bytes(text)
    assert files.read(file).is_resource is is_resource


@pytest.mark.parametrize(
    ("name", "text", "is_resource"),
    [
        ("a.mill", b"services:\n  web: {}\n", True),
        ("a.conf", b'{"kind": "MillDeployment"}', True),
        ("a.mill", b"nonsense", False),
        ("a.hcl", b'service "web" {\n', False),
        ("a.yaml", b'service "web" {\n', False),
        ("a.yml", b'service "web" { image = "x" }\n', False),
        ("a.yaml", b"nonsense", True),
        ("a.json", b"{ }", True),
        ("a.json", b"", True),
    ],
)
def test_the_content_of_a_file_has_priority_over_its_name(
    tmp_path: Path, name: str, text: bytes, is_resource: bool
) -> None:
    file = tmp_path / name
    file.write_bytes(text)
    assert files.read(file).is_resource is is_resource


def test_empty_lines_before_the_first_word_cost_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\n" * 1_000_000 + b"kind: x")
    started = time.monotonic()
    assert files.read(file).is_resource
    assert time.monotonic() - started < 5


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the documents that are read."""
    from mill_cli import document, resource

    names: list[str] = []

    def counted(data: bytes, filename: str) -> document.Document | None:
        names.append(filename)
        return document.read_document(data, filename)

    monkeypatch.setattr(resource, "read_document", counted)
    return names


def test_a_milldeployment_is_read_once(tmp_path: Path, read: list[str]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("apiVersion: mill.dev/v1alpha1\nkind: MillDeployment\nmetadata: {name: blue}\n")
    found = files.read(file)
    assert (found.spec().services, found.services(), found.resource.name) == ([], [], "blue")
    assert read == [str(file)]


def test_a_document_that_is_refused_is_read_once(tmp_path: Path, read: list[str]) -> None:
    from mill_language import InvalidConfig

    file = tmp_path / "x.yaml"
    file.write_text("services: {web: {image: 'web:1'}}\n")
    found = files.read(file)
    for _ in range(2):
        with pytest.raises(InvalidConfig, match="Compose file"):
            found.spec()
    assert found.services() == []
    assert read == [str(file)]
