"""The parts of our own Docker engine that decide: what its runtime leaves out, and how images are compared."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from hack.docker import content, runtime
from hack.docker.content import Found


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ("--root /r create --bundle /b --pid-file /p ID", ["/b/config.json"]),
        ("--root=/r run --bundle=/b ID", ["/b/config.json"]),
        ("--root /r exec --process /tmp/p --detach ID", ["/tmp/p"]),
        ("--root /r state ID", []),
        ("--root /r delete --force ID", []),
    ],
)
def test_the_runtime_mends_what_describes_a_process(arguments: str, files: list[str]) -> None:
    assert runtime.files_of(arguments.split()) == [Path(file) for file in files]


def test_the_runtime_leaves_out_what_is_refused_and_nothing_else() -> None:
    process: dict[str, Any] = {
        "args": ["sh"],
        "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": None},
        "oomScoreAdj": -999,
        "rlimits": [{"type": "RLIMIT_CORE", "hard": 1, "soft": 1}],
    }
    runtime.mend(process)
    assert process == {
        "args": ["sh"],
        "capabilities": {"bounding": ["CAP_CHOWN"], "ambient": None},
        "oomScoreAdj": 0,
    }
    plain = {"args": ["sh"], "oomScoreAdj": 500}
    runtime.mend(plain)
    assert plain == {"args": ["sh"], "oomScoreAdj": 500}


def test_differences_are_named_by_path() -> None:
    same, other = Found("file", 0o644, "0:0", "a", 0), Found("file", 0o755, "0:0", "a", 0)
    found = content.differences({"a": same, "b": same, "c": same}, {"a": same, "b": other, "d": other})
    assert [line.partition(":")[0] for line in found] == ["b", "c", "d"]


def test_a_saved_image_is_read_by_its_layers(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    lower, upper = _tar({"a": b"old", "b": b"kept"}), _tar({"a": b"new secret"})
    manifest = json.dumps([{"Config": "c.json", "Layers": ["1/layer.tar", "2/layer.tar"]}]).encode()
    archive.write_bytes(
        _tar({"c.json": b'{"os": "linux"}', "1/layer.tar": lower, "2/layer.tar": upper, "manifest.json": manifest})
    )
    read = content.of_saved(archive)
    assert set(read.files) == {"a", "b"}
    assert read.files["a"].content != read.files["b"].content
    assert read.settings == {"os": "linux"}
    assert content.holding(archive, b"secret") == ["2/layer.tar/a"]
    assert content.holding(archive, b"linux") == ["c.json"]


def _tar(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
    return written.getvalue()
