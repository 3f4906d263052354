"""Programs that need packages of an extra, where only those of the command line are installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def imports_of_extra(extra: str) -> Iterator[None]:
    """End the process with 2 if the block imports a package of an extra that is not installed, and say what to do."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("mill_"):
            raise
        sys.stderr.write(
            f"error: mill-{extra} needs the Python module `{error.name}`, which is not installed\n"
            f"  help: install Mill with the {extra}'s packages, in its repository: pip install '.[{extra}]'\n"
        )
        sys.exit(2)
