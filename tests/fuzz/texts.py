"""Text and bytes at random: what is odd comes more often than by chance."""

import random
import string
from collections.abc import Sequence
from typing import Final

ODD: Final = (
    *("", "\0", "\n", "\r\n", "\r", "\t", " ", "\x1b[31m", "\x1b]0;t\x07", "\x9b1m", "\u202e", "\u2066", "\u200b"),
    *("\ufeff", "\x7f", "\x85", "\u2028", "\U000e0041", "é", "e\u0301", "😀", "\u0130", "ß", "\uff11", "∞"),
    *("\\", '"', "'", "`", "$", "${", "$${", "%{", "{", "}", "[", "]", "(", ")", "<", ">", "<<", "&", "*", "#", "//"),
    *("/*", "*/", ":", ";", ",", ".", "=", "=>", "-", "--", "+", "!", "!!", "?", "|", "@", "~", "^", "%", "\\u0000"),
    *("\\ud800", "%00", "%0a", "&amp;", "\\n", "\\x", "0", "-1", "1e999", "9" * 30, "0x1f", "1_0", "+1", ".5", "5."),
    *("NaN", "Infinity", "null", "true", "None"),
)
_LETTERS: Final = string.ascii_letters + string.digits


def word(rng: random.Random, longest: int = 12) -> str:
    """Return letters and digits."""
    return "".join(rng.choices(_LETTERS, k=rng.randint(1, longest)))


def odd(rng: random.Random) -> str:
    """Return something that a parser may not expect."""
    return rng.choice(ODD)


def text(rng: random.Random, words: Sequence[str] = (), most: int = 12) -> str:
    """Return pieces of all kinds, of the given words above all."""
    pieces = []
    for _ in range(rng.randint(0, most)):
        kind = rng.random()
        if kind < 0.5 and words:
            pieces.append(rng.choice(words))
        elif kind < 0.7:
            pieces.append(odd(rng))
        elif kind < 0.9:
            pieces.append(word(rng))
        else:
            pieces.append(chr(rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000)))))
    return rng.choice(("", "", " ", "\n")).join(pieces)


def pumped(rng: random.Random, words: Sequence[str], longest: int) -> str:
    """Return one thing over and over: what makes a careless pattern slow."""
    unit = "".join(rng.choice(words) if words and rng.random() < 0.5 else odd(rng) for _ in range(rng.randint(1, 3)))
    size = rng.randint(1, longest)
    body = (unit * (size // max(1, len(unit)) + 1))[:size]
    return text(rng, words, 2) + body + text(rng, words, 2)


def mutated(rng: random.Random, data: bytes, others: Sequence[bytes], words: Sequence[str] = ()) -> bytes:
    """Return bytes with one to four changes: bytes, odd texts, parts that are doubled, moved, or taken from others."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(found))
        end = min(len(found), at + rng.choice((1, 1, 2, 8, 40)))
        match rng.randrange(8):
            case 0:
                found[at:end] = rng.randbytes(end - at)
            case 1:
                found[at:at] = odd(rng).encode("utf-8", "surrogatepass")
            case 2:
                del found[at:end]
            case 3:
                found[at:at] = found[at:end] * rng.choice((1, 2, 20))
            case 4:
                other = rng.choice(others)
                start = rng.randint(0, len(other))
                found[at:end] = other[start : start + rng.randint(1, 60)]
            case 5:
                found[at:end] = odd(rng).encode("utf-8", "surrogatepass")
            case 6 if words:
                found[at:at] = rng.choice(words).encode()
            case _ if found:
                found[min(at, len(found) - 1)] ^= 1 << rng.randrange(8)
    return bytes(found)


def chunks(rng: random.Random, data: bytes) -> list[bytes]:
    """Return bytes in pieces, cut anywhere."""
    cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(0, 8)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if end > start]


def lines_of(rng: random.Random, data: bytes, most: int) -> bytes:
    """Return some lines that follow each other."""
    lines = data.splitlines(keepends=True)
    start = rng.randrange(len(lines)) if lines else 0
    return b"".join(lines[start : start + rng.randint(1, most)])
