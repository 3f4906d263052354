"""Bodies of answers: limits on what is read of them, and strict JSON."""

import json
from typing import Any, Final

from mill_cli.connection.transport import Answer
from mill_cli.errors import CliError, Exit

LONGEST_ANSWER: Final = 256 * 1024 * 1024
"""Maximum bytes of an answer: a list of 100,000 objects is smaller."""
LONGEST_REFUSAL: Final = 1024 * 1024
"""Maximum bytes of an error: all problems of a file are smaller."""


def loads(text: str | bytes) -> Any:
    """Parse JSON, without Python's NaN and Infinity. Raise `ValueError`, `RecursionError`."""
    return json.loads(text, parse_constant=_no_number)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def read_bounded(answer: Answer, limit: int, *, cut: bool = False) -> bytes:
    """Return the uncompressed body of an answer. Raise `TransportError`.

    A body of more than `limit` bytes is cut there with `cut`; otherwise raise `CliError`.
    """
    parts: list[bytes] = []
    size = 0
    for part in answer.parts():
        parts.append(part)
        size += len(part)
        if size > limit:
            if not cut:
                message = f"HTTP {answer.status}: the answer has more than {limit:,} bytes"
                raise CliError(Exit.FAILED, message, kind="unexpected_answer")
            break
    return b"".join(parts)[:limit]
