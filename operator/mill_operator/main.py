"""The program `mill-operator`, or `python -m mill_operator`: the operator, unless the first argument is `judge`."""

import sys


def run() -> None:
    """Run what the arguments name. Each part imports only what it needs: `judge` needs no framework."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["judge"]:
        from mill_operator.recordings import command

        sys.exit(command.run(arguments[1:]))
    from mill_operator import process

    process.run(arguments[1:] if arguments[:1] == ["run"] else arguments)
