"""The program `mill-operator`, or `python -m mill_operator`: the operator, unless the first argument is `judge`."""

import sys
from collections.abc import Callable, Sequence


def run() -> None:
    """Run what the arguments name. The exit code is 2 if a package of the extra `operator` is not installed."""
    arguments = sys.argv[1:]
    try:
        program = _program_of(arguments)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("mill_"):
            raise
        print(
            f"error: mill-operator needs the Python module `{error.name}`, which is not installed\n"
            "  help: install Mill with the operator's packages, in its repository: pip install '.[operator]'",
            file=sys.stderr,
        )
        sys.exit(2)
    program()


def _program_of(arguments: Sequence[str]) -> Callable[[], None]:
    """Import what the arguments need: `judge` needs no framework."""
    if arguments[:1] == ["judge"]:
        from mill_operator.recordings import command

        return lambda: sys.exit(command.run(arguments[1:]))
    from mill_operator import process

    return lambda: process.run(arguments[1:] if arguments[:1] == ["run"] else arguments)
