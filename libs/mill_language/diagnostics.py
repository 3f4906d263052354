"""Problems of a `.mill` file, for people and for editors: place, message and suggestion."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from mill_language.source import Source, Span

_BOLD, _RED, _BLUE, _CYAN, _RESET = "\x1b[1m", "\x1b[1;31m", "\x1b[1;34m", "\x1b[1;36m", "\x1b[0m"
_YELLOW = "\x1b[1;33m"
_WIDEST_LINE = 200
"""Longer source lines are cut around the caret, so that a minified file does not fill the terminal."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains the problem, such as the first of two definitions."""

    message: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. Lines and columns count from 1, columns count characters, the end is excluded."""

    filename: str
    line: int
    column: int
    end_line: int
    end_column: int
    path: str | None
    message: str
    help: str | None = None
    related: tuple[Related, ...] = ()
    parse_error: bool = False
    """Whether the text could not be read at all, as opposed to being read and refused."""
    wire: str | None = None
    """The message of the original where it is another: for `text`, which its clients read."""
    severity: Literal["error", "warning"] = "error"
    """A file with warnings alone is valid."""

    @property
    def text(self) -> str:
        """The problem in one line, as the gateway's `error` has it after `invalid config: `."""
        message = self.wire or self.message
        if not self.parse_error:
            return f"{self.path}: {message}" if self.path else message
        place = f"{self.path}, line {self.line}" if self.path else f"line {self.line}, column {self.column}"
        return f"parse error: {message} ({place})"

    def render(self, source: str | Source, *, color: bool = False) -> str:
        """Return the problem as a compiler shows it: message, place, source line, carets and suggestion.

        `source` is the text of the file, or its lines where several problems are shown.
        """
        paint = _paint if color else _plain
        gutter = " " * len(str(max([self.line, *(other.line for other in self.related)])))
        sheet = _Sheet(_lines(source), gutter, paint)
        headline = f"{self.path}: {self.message}" if self.path else self.message
        out = [f"{paint(self.severity, _RED if self.severity == 'error' else _YELLOW)}{paint(f': {headline}', _BOLD)}"]
        out.append(f"{gutter}{paint('-->', _BLUE)} {self.filename}:{self.line}:{self.column}")
        end = self.end_column if self.end_line == self.line else None
        out += sheet.excerpt(_Mark(self.line, self.column, end))
        for other in self.related:
            out.append(f"{gutter}{paint(':::', _BLUE)} {self.filename}:{other.line}:{other.column}")
            end = other.end_column if other.end_line == other.line else None
            out += sheet.excerpt(_Mark(other.line, other.column, end, "-", _BLUE, other.message))
        if self.help:
            out.append(f"{gutter} {paint('= help:', _CYAN)} {self.help}")
        return "\n".join(out)

    def to_json(self) -> dict[str, object]:
        """Return the problem as plain JSON, for editors and CI annotators."""
        fields = asdict(self)
        del fields["wire"]  # `text` has it
        return {**fields, "text": self.text}


class InvalidConfig(ValueError):
    """A `.mill` file that is refused, with all of its problems."""

    diagnostics: tuple[Diagnostic, ...]

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        # The gateway sends this text, which clients of the original read.
        super().__init__("\n".join(diagnostic.text for diagnostic in self.diagnostics))

    def render(self, source: str, *, color: bool = False) -> str:
        """Return every problem as `Diagnostic.render` does, with an empty line between two."""
        lines = _lines(source)  # once: a hundred problems of a file of megabytes would take a minute
        return "\n\n".join(diagnostic.render(lines, color=color) for diagnostic in self.diagnostics)


def locate(
    source: Source,
    span: Span,
    message: str,
    *,
    path: str | None = None,
    advice: str | None = None,
    related: Iterable[tuple[str, Span]] = (),
    parse_error: bool = False,
) -> Diagnostic:
    """Return a diagnostic whose places are byte spans of a source."""
    start, end = source.position(span.start), source.position(max(span.start, span.end))
    return Diagnostic(
        source.filename,
        *start,
        *end,
        path=path,
        message=message,
        help=advice,
        related=tuple(
            Related(note, *source.position(other.start), *source.position(other.end)) for note, other in related
        ),
        parse_error=parse_error,
    )


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is nearest to a misspelled one; None if none is near."""
    import difflib

    if len(word) > 100:
        return None
    return next(iter(difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.65)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return a suggestion with the known word that is nearest to a misspelled one; None if none is near."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found else None


def _lines(source: str | Source) -> Source:
    return source if isinstance(source, Source) else Source(source.encode("utf-8", "surrogatepass"), "")


@dataclass(frozen=True, slots=True)
class _Mark:
    """The underlined part of a line, and the note beside it."""

    line: int
    column: int
    end: int | None
    """Column behind the last that is underlined; None: all up to the line's end."""
    character: str = "^"
    style: str = _RED
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The source of a file, and how excerpts of it are drawn."""

    source: Source
    gutter: str
    paint: Callable[[str, str], str]

    def excerpt(self, mark: _Mark) -> list[str]:
        """Return a blank line, the source line and the line with the carets."""
        raw = self.source.line(mark.line)
        first, last = mark.column - 1, (len(raw) if mark.end is None else mark.end - 1)
        if len(raw) > _WIDEST_LINE:
            cut = max(0, first - _WIDEST_LINE // 2)
            raw, first, last = raw[cut : cut + _WIDEST_LINE], first - cut, last - cut
        # A tab in the margin under a tab in the source keeps the carets below their text, at any width of tabs.
        margin = "".join("\t" if character == "\t" else " " for character in raw[:first])
        carets = mark.character * max(1, min(last, len(raw)) - first)
        bar = self.paint("|", _BLUE)
        printable = "".join(character if character.isprintable() or character == "\t" else "�" for character in raw)
        under = f"{self.gutter} {bar} {margin}{self.paint(carets, mark.style)}"
        return [
            f"{self.gutter} {bar}",
            f"{self.paint(str(mark.line).rjust(len(self.gutter)), _BLUE)} {bar} {printable}".rstrip(),
            f"{under} {mark.note}" if mark.note else under,
        ]


def _paint(text: str, style: str) -> str:
    return f"{style}{text}{_RESET}"


def _plain(text: str, style: str) -> str:  # noqa: ARG001 - the same shape as `_paint`
    return text
