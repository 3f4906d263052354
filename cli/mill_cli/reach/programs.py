"""`mill exec`: a program in a pod, by `kubectl exec` with the terminal and the streams of this process."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from mill_cli.connection.client import Gateway
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.reach.forward import read_service
from mill_cli.reach.kubectl import hints, kubectl, line_of

SHELL: Final = ("sh",)
"""What runs without a command."""
_CHECK_SECONDS: Final = 10
_BY_SIGNAL: Final = 128


def run_program(options: Options, name: str, command: Sequence[str]) -> int:
    """Run a program in the best pod of a service, and return its exit code. Raise `CliError`."""
    with Gateway(options) as gateway:
        service = read_service(gateway, name)
    if not service.pods:
        advice = f"`mill logs {service.name} --previous` shows its last lines"
        raise CliError(Exit.FAILED, service.without_pods(), advice)
    start, pod = kubectl(options, service.namespace, "exec"), service.pods[0]
    if options.verbose:
        screen.note(f"running in {pod}")
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    streams = ["--stdin", *terminal]
    code = _run([*start, "exec", *streams, f"--container={service.name}", f"pod/{pod}", "--", *(command or SHELL)])
    if code == Exit.FAILED and (problem := _missing(start, pod)):
        for each in hints(problem, options):
            screen.note(f"  help: {each}")
    return code


def _run(line: Sequence[str]) -> int:
    """Run a process to its end. Ctrl-C is for the program: kubectl gets it from the terminal, too."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        with subprocess.Popen(line) as process:
            try:
                code = process.wait()
            except BaseException:
                process.terminate()
                raise
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else _BY_SIGNAL - code


def _missing(start: Sequence[str], pod: str) -> str:
    """Return why kubectl does not find a pod that the gateway has reported; empty if it does.

    Only the program or kubectl knows why the exit code is 1: kubectl writes to the terminal itself.
    """
    command = [*start, "get", f"pod/{pod}", "--output=name"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_CHECK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return line_of(done.stderr.decode(errors="replace")) if done.returncode else ""
