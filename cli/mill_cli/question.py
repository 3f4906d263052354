"""A question before something is removed or taken back: on the terminal of the process, whatever its streams are."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from mill_cli.errors import CliError, Exit
from mill_cli.output.text import printable

TERMINAL: Final = Path("/dev/tty")
YES: Final = ("y", "yes")


def ask(question: str, *, is_stdin_taken: bool, needs_answer: bool = False) -> None:
    """Ask a person whether to continue. Raise `CliError` if the answer is no.

    If no stream of the process is a terminal, nothing is asked; it is refused if `needs_answer`. `is_stdin_taken`:
    standard input is the file that is deployed; without a terminal beside it there is no answer, and that is refused.
    """
    streams = (sys.stdout, sys.stderr) if is_stdin_taken else (sys.stdin, sys.stdout, sys.stderr)
    if not any(each.isatty() for each in streams):
        if needs_answer:
            raise _no_terminal(question)
        return
    with contextlib.ExitStack() as opened:
        source, target = opened.enter_context(_terminal(question, is_stdin_taken=is_stdin_taken))
        target.write(f"{printable(question)} [y/N] ")
        target.flush()
        answer = source.readline()
        if not answer.endswith("\n"):  # the end of input leaves the cursor in the line
            target.write("\n")
            target.flush()
    if answer.strip().lower() not in YES:
        raise CliError(Exit.FAILED, "canceled: nothing was changed", kind="canceled")


@contextlib.contextmanager
def _terminal(question: str, *, is_stdin_taken: bool) -> Iterator[tuple[TextIO, TextIO]]:
    """Yield where the answer is read and the question is written. Raise `CliError` if there is no such terminal."""
    with contextlib.ExitStack() as opened:
        try:
            source: TextIO = opened.enter_context(TERMINAL.open(encoding="utf-8", errors="replace"))
            target: TextIO = opened.enter_context(TERMINAL.open("w", encoding="utf-8", errors="replace"))
        except OSError:
            if is_stdin_taken or not sys.stdin.isatty():
                raise _no_terminal(question) from None
            source, target = sys.stdin, sys.stderr
        yield source, target


def _no_terminal(question: str) -> CliError:
    message = f"no terminal to ask on: {printable(question)}"
    return CliError(Exit.FAILED, message, "use --yes if that is meant", kind="canceled")
