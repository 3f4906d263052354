"""Whether a command prints what a page shows: the same but for times, names of pods and runs, and other numbers.

The words of a container runtime may be those of another version of it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

ANY: Final = "…"
"""In a page: any text within a line; alone in a line: any lines."""
_IDS: Final = re.compile(
    r"\b(?P<pod>[a-z]+-[0-9a-f]{6,10}-[a-z0-9]{5})\b|\b(?P<run>[a-z]+-[0-9a-f]{8}(?:-[a-z0-9]{5})?)\b"
    r"|\b(?P<rollout>\d+-[0-9a-f]{16})\b"
)
_VARIES: Final = (
    (_IDS, "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s|m|h|d)\b( ?\d+ ?(s|m|h)\b)?( ago)?"), "TIME"),
    (re.compile(r"\b10(\.\d+){3}\b"), "ADDRESS"),
    (re.compile(r"\d+(\.\d+)?/\d+(\.\d+)? +\d+(\.\d+)? [GMK]?i?B/\d+(\.\d+)? [GMK]?i?B +\d+"), "USE"),
    (re.compile(r"(?:reference \"\S+\"|image): (?=\S+: not found\s*$)"), "RESOLVED: "),  # containerd 1.x or 2.x
    (re.compile(r" {2,}"), "  "),
    (re.compile(r"-{3,}|─{3,}"), "---"),
)


def likeness(line: str) -> str:
    """Return a line without what differs from one run to the next."""
    for pattern, token in _VARIES:
        line = pattern.sub(token, line)
    return line.rstrip()


def is_like(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether printed lines are like those that a page shows."""
    if not shown:
        return not printed
    if shown[0].strip() == ANY:
        return any(is_like(shown[1:], printed[at:]) for at in range(len(printed) + 1))
    return bool(printed) and _is_like(shown[0], printed[0]) and is_like(shown[1:], printed[1:])


def _is_like(shown: str, printed: str) -> bool:
    parts = map(re.escape, likeness(shown).split(ANY))
    return re.fullmatch(".*".join(parts), likeness(printed)) is not None


def same_ids(shown: Sequence[str], printed: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the names of pods and runs that a page shows, each with the one that was printed in its place."""
    for one, other in zip(shown, printed, strict=False):
        pairs = zip(_IDS.finditer(one), _IDS.finditer(other), strict=False)
        yield from ((mine[0], theirs[0]) for mine, theirs in pairs)
