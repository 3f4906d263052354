"""Layers are equal where their content is, and are made once."""

import json
import os
import tarfile
from pathlib import Path

import pytest

from hack.images import oci
from hack.images.mill import kept
from hack.images.oci import Configuration
from hack.images.tars import Entry, entries_of, write_layer


def tree(folder: Path, mtime: int) -> Path:
    """The same content with other times, modes and order."""
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "program").write_text("one")
    (folder / "b" / "program").chmod(0o700 if mtime % 2 else 0o755)
    (folder / "a.txt").write_text("two")
    (folder / "link").symlink_to("/b/program")
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o1777)
    for path in folder.rglob("*"):
        os.utime(path, (mtime, mtime), follow_symlinks=False)
    return folder


def test_equal_content_is_an_equal_layer(tmp_path: Path) -> None:
    one = write_layer(entries_of(tree(tmp_path / "one", 1_000_001)), tmp_path / "one.tar.gz")
    other = write_layer(entries_of(tree(tmp_path / "other", 2_000_000)), tmp_path / "named-otherwise.tar.gz")
    assert (one.digest, one.diff_id, one.size, one.unpacked) == (
        other.digest,
        other.diff_id,
        other.size,
        other.unpacked,
    )
    assert one.unpacked == 6


def test_a_layer_has_what_the_folder_has_and_belongs_to_root(tmp_path: Path) -> None:
    layer = write_layer(entries_of(tree(tmp_path / "tree", 1)), tmp_path / "layer.tar.gz")
    with tarfile.open(layer.file) as tar:
        found = {each.name: (oct(each.mode), each.linkname, each.uid, each.gid, each.mtime) for each in tar}
    assert list(found) == ["a.txt", "b", "b/program", "link", "tmp"]
    assert found["a.txt"] == ("0o644", "", 0, 0, 0)
    assert found["b/program"] == ("0o755", "", 0, 0, 0)
    assert found["link"] == ("0o777", "/b/program", 0, 0, 0)
    assert found["tmp"][0] == "0o1777"


def test_other_content_is_another_layer(tmp_path: Path) -> None:
    layers = [
        write_layer([entry], tmp_path / "layer.tar.gz")
        for entry in (Entry("a", b"1"), Entry("a", b"2"), Entry("b", b"1"), Entry("a", b"1", mode=0o755), Entry("a"))
    ]
    assert len({layer.diff_id for layer in layers}) == len(layers)


def test_an_image_names_its_layers_and_has_no_time(tmp_path: Path) -> None:
    layer = write_layer([Entry("a", b"1")], tmp_path / "layer.tar.gz")
    document = Configuration(command=("a",), user="1:1", ports=(80,), labels={"b": "2", "a": "1"}).document([layer])
    assert document["config"] == {
        "Cmd": ["a"],
        "User": "1:1",
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"a": "1", "b": "2"},
    }
    assert document["rootfs"]["diff_ids"] == [layer.diff_id]
    assert document["architecture"] == oci.ARCHITECTURE
    assert "created" not in json.dumps(document)


def test_a_layer_is_made_once_for_each_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text(f"{len(made)}")

    first = kept.keep("base", "1", make)
    assert kept.keep("base", "1", make) == first
    assert len(made) == 1
    assert (first.tree / "file").read_text() == "1"
    assert kept.keep("base", "2", make).layer.diff_id != first.layer.diff_id
    assert kept.keep("base", "1", make, again=True).layer.diff_id != first.layer.diff_id
    assert len(made) == 3


def test_an_interrupted_layer_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path)

    def broken(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        kept.keep("base", "1", broken)
    done = kept.keep("base", "1", lambda folder: (folder / "whole").touch())
    assert [path.name for path in done.tree.iterdir()] == ["whole"]
    assert [path.name for path in tmp_path.iterdir()] == ["base-1"]


def test_a_digest_tells_apart_where_texts_end(tmp_path: Path) -> None:
    assert kept.digest("ab", "c") != kept.digest("a", "bc")
    (tmp_path / "package" / "__pycache__").mkdir(parents=True)
    (tmp_path / "package" / "module.py").write_text("1")
    before = kept.digest_of_files(tmp_path, "package")
    (tmp_path / "package" / "__pycache__" / "module.pyc").write_text("2")
    assert kept.digest_of_files(tmp_path, "package") == before
    (tmp_path / "package" / "module.py").rename(tmp_path / "package" / "other.py")
    assert kept.digest_of_files(tmp_path, "package") != before
