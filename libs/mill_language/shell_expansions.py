"""Texts of other programs that HCL cannot read: people write them in commands, scripts and variables.

They are expansions of a shell, such as `${NAME:-default}`, and formats, such as `%{time}`.
"""

import re
from typing import Final

from mill_language.source import Span

_SHELL_EXPANSION: Final = re.compile(
    rb"(?<!\$)\$\{(?:[A-Za-z_][A-Za-z0-9_]{0,99}|[0-9@*])(?::[-=?+0-9]|%%|#|//|\^|,|@)[^}\n]{0,200}\}"
    rb"|(?<!\$)\$\{(?:#[A-Za-z0-9_@*]{1,99}|[@*?#$])\}"
)
"""`${NAME:-default}` and the like."""
_FORMAT: Final = re.compile(rb"(?<!%)%\{(?!~?[ \t]*(?:if|else|endif|for|endfor)\b)[^}\n\"]{0,200}\}?")
"""`%{time}` and the like, which begin what HCL calls a directive."""
_FAR: Final = 1000
"""Bytes before an expansion in which the beginning of a comment is looked for."""
_COMMENT: Final = re.compile(rb"(?:^|\s)(?:#|//)")


def shell_expansion(data: bytes) -> Span | None:
    """Return the first expansion of a shell that HCL cannot read, outside of comments."""
    return _first(_SHELL_EXPANSION, data)


def format_directive(data: bytes) -> Span | None:
    """Return the first directive of a format that HCL cannot read, outside of comments."""
    return _first(_FORMAT, data)


def _first(pattern: re.Pattern[bytes], data: bytes) -> Span | None:
    for found in pattern.finditer(data):
        before = data[max(0, found.start() - _FAR) : found.start()]
        line = before[before.rfind(b"\n") + 1 :]
        comment = _COMMENT.search(line)
        if comment is None or line[: comment.start()].count(b'"') % 2:
            return Span(found.start(), found.end())
    return None
