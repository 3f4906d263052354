"""An OCI runtime: runc, without what a machine whose root is no full root refuses.

Docker asks for these in each privileged container, and runc fails where CAP_SYS_RESOURCE is missing.
"""

import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

_REFUSED: Final = "CAP_SYS_RESOURCE"


def main() -> None:
    """Mend what runc is about to read, and become runc."""
    arguments = sys.argv[1:]
    for file in files_of(arguments):
        document = json.loads(file.read_text())
        mend(document.get("process", document))
        file.write_text(json.dumps(document))
    os.execvp("runc", ["runc", *arguments])  # noqa: S606 - it takes our place


def files_of(arguments: Sequence[str]) -> list[Path]:
    """Return the files that a command line of runc names and that describe a process: of a container, or one in it."""
    found = []
    for option, value in _options(arguments):
        if option in ("--bundle", "-b") and {"create", "run"} & set(arguments):
            found.append(Path(value, "config.json"))
        elif option in ("--process", "-p") and "exec" in arguments:
            found.append(Path(value))
    return found


def mend(process: dict[str, Any]) -> None:
    """Leave out what is refused, of the description of a process."""
    for names in (process.get("capabilities") or {}).values():
        if _REFUSED in (names or ()):
            names.remove(_REFUSED)
    if (process.get("oomScoreAdj") or 0) < 0:
        process["oomScoreAdj"] = 0
    process.pop("rlimits", None)


def _options(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Return options with their values, written as one word or as two."""
    joined = [(option, value) for option, is_there, value in (word.partition("=") for word in arguments) if is_there]
    separate = list(pairwise(arguments))
    return [(option, value) for option, value in [*joined, *separate] if option.startswith("-")]


if __name__ == "__main__":
    main()
