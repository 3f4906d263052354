"""Foreign text made printable: without the control characters that a terminal obeys."""

from mill_objects.printable import printable

__all__ = ["one_line", "printable"]


def one_line(text: str) -> str:
    """Return a printable text on one line."""
    return printable(" ".join(text.split()))
