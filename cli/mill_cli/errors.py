"""What can go wrong, and with which code the process then ends."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes."""

    GOOD = 0
    FAILED = 1
    """The deploy or the request failed."""
    CANNOT_CONNECT = 2
    """Also wrong usage."""
    STREAM_LOST = 3
    """The rollout goes on."""
    FILE = 4


class CliError(Exception):
    """An error for the person at the terminal: printed as `error: …` on stderr."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code
