"""A program's last words and a registry's errors, on their way into a status."""

import importlib.util
import random
from typing import Final

from mill_operator.core.redaction.redact import redact, redact_log
from tests.fuzz.target import Target
from tests.fuzz.texts import pumped, text

WORDS: Final = (
    *(
        "password",
        "PASSWORD=",
        "passwd:",
        "token",
        "token: ",
        "secret",
        "api_key=",
        "access-key",
        "private_key",
        "=",
        ":",
    ),
    *("Authorization: ", "Bearer ", "Basic ", "https://", "postgres://user:", "@", "/", "?", "&", "-----BEGIN "),
    *("PRIVATE KEY-----", "-----END ", "RSA", "eyJhbGciOiJI", ".", "ghp_", "AKIA", "xoxb-", "sk-", "_", "-", '"', "'"),
    *("error", "at ", "level=info ", "{", "}", '":"', "\\n", " \n", "\x1b[31m", "%3D", "<password>", "  "),
)
_SANITIZES: Final = importlib.util.find_spec("mill_objects.printable") is not None
"""Whether texts are cut and made printable before patterns see them."""
LONGEST: Final = 2048 if _SANITIZES else 60
"""Of what is pumped: as much as the kubelet reports of a log."""
PLANTED: Final = "hunter2-Zq81x"


def generate(rng: random.Random) -> str:
    """Return words, or one of them over and over; with a password on a line of its own in some."""
    if rng.random() < 0.1:
        return pumped(rng, WORDS, rng.choice((20, 60, LONGEST)))
    made = text(rng, WORDS)
    return f"{made}\nDB_PASSWORD={PLANTED}\n{text(rng, WORDS, 4)}" if rng.random() < 0.2 else made


def _gone(value: str) -> None:
    """Nothing is left of a password that has its name before it, and text stays text."""
    for found in (redact(value), redact_log(value)):
        assert isinstance(found, str)
        assert f"DB_PASSWORD={PLANTED}" not in value or PLANTED not in found, found


def _sanitized(value: str) -> None:
    """What is made printable is, and stays as it is; a line is a line, and no longer than it may be."""
    from mill_objects import printable

    found = printable.printable(value)
    assert all(each.isprintable() or each in "\t\n" for each in found)
    assert printable.printable(found) == found
    for limit in (10, 200):
        line, lines = printable.one_line(value, limit), printable.multi_line(value, limit)
        assert line.isprintable()
        assert len(line.encode()) <= limit
        assert len(lines.encode()) <= limit
        assert all(each.isprintable() or each in "\t\n" for each in lines)


TARGETS: Final = (
    Target("redact", generate, _gone),
    *([Target("sanitize", generate, _sanitized)] if _SANITIZES else []),
)
