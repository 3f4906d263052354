"""Foreign text made printable: without the control characters that a terminal obeys."""

from mill_objects.printable import printable

__all__ = ["one_line", "printable", "with_detail"]


def one_line(text: str) -> str:
    """Return a printable text on one line."""
    return printable(" ".join(text.split()))


def with_detail(message: str, detail: object) -> str:
    """Return a message with its detail, if it has one that it does not contain: `message (detail)`."""
    return f"{message} ({detail})" if isinstance(detail, str) and detail and detail not in message else message
