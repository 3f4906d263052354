"""The command line as a process: how it starts and how it ends."""

import contextlib
import itertools
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Final

from mill_cli.errors import CliError, Exit

if TYPE_CHECKING:
    import click

    from mill_cli.command import LazyGroup

ABOUT: Final = """\
Deploy short .mill files on Kubernetes.

A .mill file describes services and tasks in HCL, such as

\b
  service "web" {
    image = "nginx:1.29"
    port  = 80
  }

It is deployed as a MillDeployment, by default `mill` in the gateway's namespace. Commands print their output to
standard output and errors to standard error.

\b
Exit codes:
  0  success
  1  the deploy or the request failed
  2  no connection to the gateway, or wrong usage
  3  connection lost, or --timeout is over; the rollout continues
  4  cannot read the file or write the output
"""


def run() -> None:
    """Run the command line and end the process with the right code."""
    signal.signal(signal.SIGTERM, _exit_on_sigterm)  # so that `kubectl proxy` is stopped, too
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # names may not be ASCII
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:  # before the first request
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        code = Exit.FILE
    except OSError as error:  # of standard output: other files have their own messages
        message = f"cannot write the output: {error.strerror}"
        code = _report(CliError(Exit.FILE, message, kind="cannot_write_output"), sys.argv[1:])
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    # At once: without messages about output that cannot be written, or waiting for threads that read streams.
    os._exit(code)


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):  # scripts run it often: it must not import anything else
        from mill_cli.version import text

        print(text())
        return Exit.SUCCESS

    import click

    from mill_cli.completion import VARIABLE

    try:
        code = app().main(arguments, prog_name="mill", standalone_mode=False, complete_var=VARIABLE)
    except CliError as error:
        return _report(error, arguments)
    except click.ClickException as error:
        from mill_cli.usage import usage_error

        return _report(usage_error(error), arguments)
    except click.Abort:  # Ctrl-C, or the end of standard input at a prompt
        return Exit.INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.SUCCESS
    return int(code or 0)


def app() -> "LazyGroup":
    """Return the command line, with all of its commands."""
    import click

    from mill_cli.command import LazyGroup
    from mill_cli.commands import COMMANDS
    from mill_cli.options import shared

    return LazyGroup(
        "mill",
        help=ABOUT,
        lazy_commands=COMMANDS,
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
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def _version(ctx: "click.Context", _param: "click.Parameter", value: bool) -> None:  # noqa: FBT001 - click calls it by position
    if value:
        from mill_cli.version import text

        print(text())
        ctx.exit()


def _open_standard_streams() -> None:
    """Open the standard streams that the parent process has closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            from pathlib import Path

            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - open as long as the process


def _report(error: CliError, arguments: list[str]) -> int:
    """Print an error to standard error, as JSON if the arguments have `--json`, and return the exit code.

    The options may not have been parsed: wrong usage is reported as well.
    """
    from mill_cli.output import screen

    is_json = "--json" in itertools.takewhile(lambda each: each != "--", arguments)
    with contextlib.suppress(OSError):
        screen.note(screen.as_json(error.to_json()) if is_json else error.render())
    return error.exit_code


def _exit_on_sigterm(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)
