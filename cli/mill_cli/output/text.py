"""Texts of others, fit to be printed: a terminal obeys control characters, so they are not passed on."""


def printable(text: str) -> str:
    """Return a text without control characters, but for tabs and ends of lines."""
    return "".join(each if each.isprintable() or each in "\t\n" else "�" for each in text)


def one_line(text: str) -> str:
    """Return a text in one line."""
    return printable(" ".join(text.split()))
