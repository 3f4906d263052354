"""Texts of others, fit to be printed: a terminal obeys control characters, so they are not passed on."""

from mill_objects.printable import printable

__all__ = ["one_line", "printable"]


def one_line(text: str) -> str:
    """Return a text in one line."""
    return printable(" ".join(text.split()))
