"""Errors of the command line, and the exit codes of the process."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, the same in every mode."""

    SUCCESS = 0
    FAILED = 1
    """The deploy or the request failed."""
    CANNOT_CONNECT = 2
    USAGE = 2
    STREAM_LOST = 3
    """The rollout continues, without a connection or after `--timeout`; the message says how to follow it again."""
    FILE = 4
    """Cannot read a file or standard input, or write the output."""
    INTERRUPTED = 130
    """Ended by Ctrl-C, with nothing that continues without the command."""


class CliError(Exception):
    """An error that stderr shows as `error: …`, followed by hints as `help: …`."""

    def __init__(self, code: Exit, message: str, *advice: str) -> None:
        super().__init__(message)
        self.code = code
        self.advice = advice

    def render(self) -> str:
        """Return the lines for stderr."""
        return "\n".join([f"error: {self}", *(f"  help: {each}" for each in self.advice)])
