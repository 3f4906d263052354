"""Prose behind the name of a credential, which is no value: `token: signature is invalid`, `secret: permission denied`.

A text counts as such only if it is made of nothing but words with which programs say what is wrong, and begins with one
that no password is. So `password: must be at least 8 characters` stays, and `password: correct horse` does not.
"""

import re
from typing import Final

from mill_operator.core.redaction.vocabulary import words as vocabulary

WORDS_READ: Final = 40
"""An error is not longer than that."""
ROOM: Final = 600
"""Characters that are looked at."""

OPENING: Final = vocabulary("opening")
"""With these a message begins. None of them is a popular password."""

OTHER: Final = OPENING | vocabulary("rest")
"""And of these, with those, the rest of it."""

_FRAMES: Final = "\"'`()[]{}<>,;:.!?…–—=*#|-"  # noqa: RUF001
_HARMLESS: Final = re.compile(
    r"[0-9]{1,5}(?:ms|s|m|h|d|%)?"
    r"|[\w-]{1,24}\.(?:json|ya?ml|toml|ini|conf|cfg|env|txt|xml|properties|pem|crt|py|js|ts|go|rb|php|java|rs)"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5})?|localhost(?::[0-9]{1,5})?|::1",
    re.ASCII,
)
"""Numbers, files and addresses: they may be in it, but do not begin it."""
_ENDS_TEXT: Final = re.compile(r"\\{0,8}[\"'][ \t]{0,4}(?:[,}\])]|$)")
"""Where a string ends in which the message stands."""


def message_length(text: str) -> int:
    """Return how much of a text, from its beginning, is a message: all of it, or up to a string's end; 0: nothing."""
    shown = text[:ROOM]
    end = next((each for each in _ENDS_TEXT.finditer(shown) if shown[: each.start()].strip(_FRAMES + " \t\\")), None)
    part = shown[: end.start()] if end else shown
    if len(part) == ROOM:
        return 0
    words = [word for word in (each.strip(_FRAMES) for each in part.lower().split()) if word]
    punctuated = bool(part.strip()) and part.strip()[0] in "\"'`" and not part.strip()[1:2].isalnum()
    if not words or len(words) > WORDS_READ:
        return 0
    if words[0] not in OPENING and not (punctuated and words[0] in OTHER):
        return 0
    if all(word in OTHER or _HARMLESS.fullmatch(word) for word in words):
        return len(part)
    return 0
