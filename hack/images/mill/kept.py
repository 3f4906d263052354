"""Keep layers, by what they are made of: made once, and used until that changes."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hack import paths
from hack.images.tars import Layer, entries_of, write_layer

FOLDER: Final = paths.IMAGES / "mill"


@dataclass(frozen=True)
class Kept:
    """A layer, and the folder that it was made of."""

    tree: Path
    layer: Layer


def keep(name: str, key: str, make: Callable[[Path], None], *, again: bool = False) -> Kept:
    """Return the layer of a name and a key; `make` fills its folder if there is none yet, or if it is to be made again.

    It appears under its name by a rename: what was interrupted leaves nothing that looks finished.
    """
    folder = FOLDER / f"{name}-{key}"
    if again or not folder.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        for left_behind in FOLDER.glob(f".{name}.*"):
            shutil.rmtree(left_behind)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=FOLDER))
        (unfinished / "tree").mkdir()
        make(unfinished / "tree")
        layer = write_layer(entries_of(unfinished / "tree"), unfinished / "layer.tar.gz")
        facts = {field: value for field, value in asdict(layer).items() if field != "file"}
        (unfinished / "layer.json").write_text(json.dumps(facts))
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    facts = json.loads((folder / "layer.json").read_text())
    return Kept(folder / "tree", Layer(folder / "layer.tar.gz", **facts))


def digest(*parts: str | bytes) -> str:
    """Return a short hash of several texts; where one ends and the next begins counts."""
    made = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        made.update(len(content).to_bytes(8, "big") + content)
    return made.hexdigest()[:16]


def digest_of_files(root: Path, *names: str) -> str:
    """Return a short hash of files and of all files in folders; compiled code does not count."""
    found = [path for name in names for path in ((root / name).rglob("*") if (root / name).is_dir() else [root / name])]
    files = sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)
    return digest(*(part for file in files for part in (file.relative_to(root).as_posix(), file.read_bytes())))
