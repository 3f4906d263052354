"""The command line: its commands, and how the process ends."""

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Final

from mill_cli.errors import CliError, Exit

if TYPE_CHECKING:
    import click

ABOUT: Final = """\
Deploy short .mill files on Kubernetes.

What is deployed is a MillDeployment, by default `mill` in the gateway's namespace. The file is HCL: `service "web" {
image = "…", port = 8080 }`. All output of a command is on standard output, errors are on standard error.

\b
Exit codes:
  0  good
  1  the deploy or the request failed
  2  no connection to the gateway, or wrong usage
  3  a stream was lost, and what was begun goes on
  4  a file, standard input or standard output
"""


def run() -> None:
    """Run the command line and end the process with the right code."""
    signal.signal(signal.SIGTERM, _terminated)  # so that what was begun is ended: the child that reaches a cluster
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # a name that ASCII does not have
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:  # so early that nothing has begun
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        code = Exit.FILE
    except OSError as error:  # of standard output: what else is read and written is told where it is
        _say(f"error: cannot write the output: {error.strerror}")
        code = Exit.FILE
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    # At once: no word of what cannot be written any more, and no wait for threads that read streams.
    os._exit(code)


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):  # asked for by scripts, over and over: no need for anything else
        from mill_cli.version import text

        print(text())
        return Exit.GOOD

    import click

    from mill_cli.completion import VARIABLE

    try:
        code = app().main(arguments, prog_name="mill", standalone_mode=False, complete_var=VARIABLE)
    except CliError as error:
        _say(error.render())
        return error.code
    except click.ClickException as error:
        from mill_cli.usage import usage_message

        _say(usage_message(error))
        return Exit.USAGE
    except click.Abort:  # Ctrl-C, or the end of what is typed
        return Exit.INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.GOOD
    return int(code or 0)


def app() -> "click.Group":
    """Return the command line, with all of its commands."""
    import click

    from mill_cli.command import Group, keep
    from mill_cli.commands import add_all
    from mill_cli.options import shared

    app = Group(
        "mill",
        help=ABOUT,
        callback=keep,
        params=[
            click.Option(
                ["-V", "--version"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_version,
                help="Show the version and exit.",
            ),
            *shared(),
        ],
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    return add_all(app)


def _version(ctx: "click.Context", _param: "click.Parameter", value: bool) -> None:  # noqa: FBT001 - click calls it so
    if value:
        from mill_cli.version import text

        print(text())
        ctx.exit()


def _open_what_is_closed() -> None:
    """Have all three streams: some who start programs close those that they do not use."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            from pathlib import Path

            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - for as long as the process lives


def _say(text: str) -> None:
    from mill_cli.output.text import printable

    with contextlib.suppress(OSError):
        print(printable(text), file=sys.stderr, flush=True)


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)
