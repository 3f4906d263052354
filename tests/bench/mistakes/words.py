"""Which of the lines of a command is its answer, and which says what to do. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.bench.command import Line, Timed

_HELP: Final = "help: "
_PLACE: Final = "--> "
_TOGETHER_SECONDS: Final = 0.5
"""How far apart lines of the two streams may arrive that were written together."""


@dataclass(frozen=True)
class Answer:
    """What a command says of a mistake."""

    line: Line
    """The first line that names it."""
    place: str = ""
    """Where it is: `shop.mill:3:10`."""
    help: str = ""


def answer(run: Timed, text: str) -> Answer | None:
    """Return the answer in which a text must be; None if no line has it."""
    line = run.first_with(text)
    if line is None:
        return None
    after = _after(run, line)
    place = next((each.text for each in after if _PLACE in each.text), "")
    helps = (each.text.partition(_HELP)[2].strip() for each in after if _HELP in each.text)
    return Answer(line, place.partition(_PLACE)[2].strip(), "; ".join(dict.fromkeys(helps)))


def problem(run: Timed, code: int, text: str) -> str | None:
    """Return what is not as it must be: the exit code or the text; None if both are."""
    if run.code != code:
        return f"exit code {run.code} instead of {code}"
    return None if run.first_with(text) else f"no line has {text!r}"


def steady(text: str, names: Mapping[str, str]) -> str:
    """Return a text with names that are the same in every run, the longest replaced first."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return text


def _after(run: Timed, line: Line) -> list[Line]:
    """Return the lines that belong to a line: up to the next error in its stream, and what the other has since."""
    same = [each for each in run.lines if each.stream == line.stream]
    out: list[Line] = []
    for each in same[same.index(line) + 1 :]:
        if each.text.startswith("error: "):
            break
        out.append(each)
    since = line.seconds - _TOGETHER_SECONDS
    return out + [each for each in run.lines if each.stream != line.stream and each.seconds >= since]
