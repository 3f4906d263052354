"""A breach of a rule of a spec: its place, and what to do about it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mill_api.constraints import TextRule


@dataclass(frozen=True, slots=True)
class Problem:
    """A breach of a rule: its place, and what to do about it. `str` is the line that people read."""

    path: str
    message: str
    help: str | None = None
    others: tuple[str, ...] = ()
    """The paths of other places that explain it, such as the first of two definitions."""
    absent: tuple[str, ...] = ()
    """The paths of which one is missing, if that is the problem: a caller may know why it is."""
    wire: str | None = None
    """The original's message, where it is another: clients of the gateway read it."""
    meant: str | None = None
    """What was probably meant."""

    def __str__(self) -> str:
        meant = f"; did you mean {self.meant}?" if self.meant is not None else ""
        return f"{self.path}: {self.message}{meant}"


def within(path: str, found: Iterable[Problem]) -> Iterator[Problem]:
    """Yield problems of a service or task, whose paths begin there, with their paths in the whole spec."""
    for each in found:
        others, absent = (tuple(f"{path}.{name}" for name in names) for names in (each.others, each.absent))
        yield replace(each, path=f"{path}.{each.path}", others=others, absent=absent)


def text_problems(path: str, rule: TextRule, text: str) -> Iterator[Problem]:
    """Yield what is wrong with a text."""
    refusal = rule.refuse(text)
    if refusal is not None:
        yield Problem(path, refusal.message, refusal.suggestion)
