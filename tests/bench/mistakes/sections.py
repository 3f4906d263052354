"""The sections of docs/mistakes.md. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.command import Timed
from tests.bench.mistakes.mistake import Chapter, Mistake
from tests.bench.mistakes.words import answer, problem, steady
from tests.soak.page import NOTHING, Section, quoted

HEADER: Final = ("mistake", "first line", "answer", "end", "exit code", "what it says", "what to do")


@dataclass(frozen=True)
class Made:
    """A mistake that was made."""

    mistake: Mistake
    run: Timed
    names: Mapping[str, str]
    """What stands in the page for names of the run."""

    @property
    def problem(self) -> str | None:
        """What is not as it must be."""
        return problem(self.run, self.mistake.code, self.mistake.text)


def section(chapter: Chapter, made: Sequence[Made], measured: str) -> Section:
    """Return the times and texts of a chapter."""
    found = {each.mistake.title: each for each in made}
    rows = [_row(each, found.get(each.title)) for each in chapter.mistakes]
    return Section(chapter.heading, chapter.explanation, HEADER, rows, measured)


def _row(mistake: Mistake, made: Made | None) -> list[str]:
    said = answer(made.run, mistake.text) if made is not None else None
    if made is None or said is None:
        return [mistake.title, *[NOTHING] * (len(HEADER) - 1)]
    first = made.run.first
    text = f"{said.place}: {said.line.text.strip()}" if said.place else said.line.text.strip()
    return [
        mistake.title,
        f"{first.seconds:.1f}" if first is not None else NOTHING,
        f"{said.line.seconds:.1f}",
        f"{made.run.seconds:.1f}",
        str(made.run.code),
        quoted(steady(text, made.names)),
        quoted(steady(said.help, made.names)),
    ]
