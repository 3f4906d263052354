"""The program `mill-operator`, or `python -m mill_operator`: the operator, unless the first argument is `judge`."""

import sys
from collections.abc import Callable, Sequence

from mill_process.extras import imports_of_extra


def run() -> None:
    """Run what the arguments name. The exit code is 2 if a package of the extra `operator` is not installed."""
    with imports_of_extra("operator"):
        program = _program_of(sys.argv[1:])
    program()


def _program_of(arguments: Sequence[str]) -> Callable[[], None]:
    """Import what the arguments need: `judge` needs no framework."""
    if arguments[:1] == ["judge"]:
        from mill_operator.recordings import command

        return lambda: sys.exit(command.run(arguments[1:]))
    from mill_operator import process

    return lambda: process.run(arguments[1:] if arguments[:1] == ["run"] else arguments)
