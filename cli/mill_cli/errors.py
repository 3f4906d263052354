"""What can go wrong, and with which code the process then ends."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, the same in every mode."""

    GOOD = 0
    FAILED = 1
    """The deploy or the request failed."""
    CANNOT_CONNECT = 2
    USAGE = 2
    STREAM_LOST = 3
    """The rollout goes on; the message says how to join it again."""
    FILE = 4
    """Of files, standard input and standard output."""
    INTERRUPTED = 130
    """By Ctrl-C, where nothing goes on by itself."""


class CliError(Exception):
    """An error for the person at the terminal: `error: …` on stderr, and below it what to do, as `help: …`."""

    def __init__(self, code: Exit, message: str, *advice: str) -> None:
        super().__init__(message)
        self.code = code
        self.advice = advice

    def render(self) -> str:
        """Return the lines for stderr."""
        return "\n".join([f"error: {self}", *(f"  help: {each}" for each in self.advice)])
