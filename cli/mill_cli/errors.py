"""Errors of the command line, as text and as JSON, and the exit codes of the process."""

from enum import IntEnum
from typing import Any, Final


class Exit(IntEnum):
    """Exit codes, the same in every mode."""

    SUCCESS = 0
    FAILED = 1
    """The deploy or the request failed."""
    CANNOT_CONNECT = 2
    USAGE = 2
    STREAM_LOST = 3
    """The rollout continues, without a connection or after `--timeout`; the message says how to follow it again."""
    IN_PROGRESS = 3
    """`mill status --exit-code`: nothing has failed, and something is in progress or suspect."""
    FILE = 4
    """Cannot read a file or standard input, or write the output."""
    INTERRUPTED = 130
    """Ended by Ctrl-C, with nothing that continues without the command."""


_KINDS: Final = {
    Exit.FAILED: "failed",
    Exit.USAGE: "wrong_usage",
    Exit.STREAM_LOST: "connection_lost",
    Exit.FILE: "cannot_read_file",
}


class CliError(Exception):
    """An error that stderr shows as `error: …`, followed by hints as `help: …`; or as JSON."""

    def __init__(self, code: Exit, message: str, *advice: str, kind: str = "") -> None:
        """`kind` is the stable `code` of the JSON; by default it follows from the exit code."""
        super().__init__(message)
        self.code = code
        self.advice = advice
        self.kind = kind or _KINDS[code]

    @property
    def exit_code(self) -> int:
        """The exit code of the process."""
        return self.code

    def render(self) -> str:
        """Return the lines for stderr."""
        return "\n".join([f"error: {self}", *(f"  help: {each}" for each in self.advice)])

    def to_json(self) -> dict[str, Any]:
        """Return the error as `--json` prints it: the fields of an error of the gateway, and the hints."""
        return {"error": str(self), "code": self.kind, **({"help": list(self.advice)} if self.advice else {})}


class Interrupted(CliError):
    """Ctrl-C while something continues without the command; the message says what, and how to follow it."""

    def __init__(self, message: str) -> None:
        super().__init__(Exit.STREAM_LOST, message, kind="interrupted")

    def render(self) -> str:
        """Return the line for stderr."""
        return f"interrupted: {self}"
