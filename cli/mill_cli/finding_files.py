"""The file of a command that names none, and what is there instead of one that does not exist."""

import itertools
from pathlib import Path
from typing import Final

from mill_cli.errors import CliError, Exit

DEFAULT: Final = Path("mill.conf")
_FORMS: Final = frozenset({".mill", ".conf", ".hcl", ".yaml", ".yml", ".json"})
_MOST_ENTRIES: Final = 10_000
"""Entries of a folder that are read."""
_SHOWN: Final = 5


def default_file() -> Path:
    """Return `./mill.conf`, as in the original mill, or else the one `.mill` file beside it. Raise `CliError`."""
    if DEFAULT.exists():
        return DEFAULT
    found = [each for each in _files(Path()) if each.suffix == ".mill"]
    if len(found) == 1:
        return found[0]
    message = "no file is given, and there is no mill.conf and no .mill file here"
    advice = "name a file, such as `mill deploy production.mill`"
    if found:
        message = f"no file is given, there is no mill.conf, and there are several .mill files: {_listed(found)}"
        advice = f"name one, such as `mill deploy {found[0]}`"
    raise CliError(Exit.FILE, message, advice)


def missing_file_hints(path: Path) -> list[str]:
    """Return the hints for a file that does not exist: near names in its folder, or what is there."""
    import difflib  # noqa: PLC0415 - for mistyped names alone

    there = _files(path.parent)
    names = {each.name: each for each in there}
    same_name = [each for each in there if each.stem == path.name or each.stem == path.stem]
    near = same_name[:1] or [names[each] for each in difflib.get_close_matches(path.name[:255], names, 1)]
    if near:
        return [f"did you mean {near[0]}?"]
    return [f"the folder has {_listed(there)}"] if there else []


def folder_hints(path: Path) -> list[str]:
    """Return the hints for a folder that is given instead of a file."""
    there = _files(path)
    return [f"name a file in it, such as {there[0]}"] if there else []


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder that can be a command's file, by name; none of a folder that cannot be read."""
    try:
        entries = list(itertools.islice(folder.iterdir(), _MOST_ENTRIES))
        return sorted(each for each in entries if each.suffix in _FORMS and each.is_file())
    except OSError:
        return []


def _listed(files: list[Path]) -> str:
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return ", ".join(map(str, files[:_SHOWN])) + more
