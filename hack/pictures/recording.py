"""What a program showed on a terminal → an animated SVG, by CSS alone: a window moves along a strip of frames.

Who asks for less motion, or cannot have any, sees the last frame.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from xml.sax.saxutils import escape

from hack.pictures.terminal import Picture, Run

TYPING_SECONDS: Final = 0.06
PAUSE_SECONDS: Final = 0.5
"""Between what is typed and what becomes of it."""
REST_SECONDS: Final = 6.0
"""How long the last frame stays, before it begins again."""
SHORTEST: Final = 0.03
"""Seconds of a frame that can be seen."""

COLUMN: Final = 8.4
LINE: Final = 20
FONT: Final = 14
SIDE: Final = 18
TOP: Final = 44
COLORS: Final = {
    "default": "#d1d7e0",
    "red": "#f47067",
    "green": "#57ab5a",
    "brown": "#c69026",
    "cyan": "#39c5cf",
    "brightblack": "#8b949e",
}
"""By the names that pyte has for them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is seen, and for how long."""

    seconds: float
    picture: Picture


def frames(command: str, seen: Iterable[tuple[float, Picture]], columns: int) -> list[Frame]:
    """Return the frames of a command that is typed, and of what was seen then, at seconds from its start."""
    typed = [_typed(command[:at], columns) for at in range(len(command) + 1)]
    out = [Frame(TYPING_SECONDS, each) for each in typed[:-1]] + [Frame(PAUSE_SECONDS, typed[-1])]
    prompt = replace(typed[-1], cursor=None)
    before, since = prompt, 0.0
    for at, picture in seen:
        now = replace(picture, lines=prompt.lines + picture.lines, cursor=None)
        if now.lines == before.lines:
            continue
        if at - since >= SHORTEST:
            out.append(Frame(at - since, before))
            since = at
        before = now
    return [*out, Frame(REST_SECONDS, before)]


def svg(shown: Sequence[Frame], title: str) -> str:
    """Return the picture. Its description is what the last frame says."""
    lines = max(_height(each.picture) for each in shown)
    width = round(shown[0].picture.columns * COLUMN + 2 * SIDE)
    height = TOP + lines * LINE + SIDE
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(shown[-1].picture.text)}</desc>',
            f"<style>{_style(shown, width)}</style>",
            f'<clipPath id="window"><rect width="{width}" height="{height}" rx="10"/></clipPath>',
            f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="10" fill="#1c2128" stroke="#444c56"/>',
            *(f'<circle cx="{20 + 18 * at}" cy="20" r="5.5" fill="#444c56"/>' for at in range(3)),
            '<g clip-path="url(#window)"><g class="strip">',
            *(_frame(each.picture, at * width) for at, each in enumerate(shown)),
            "</g></g>",
            "</svg>",
            "",
        ]
    )


def _typed(text: str, columns: int) -> Picture:
    prompt = (Run(0, "$ ", "brightblack", bold=False), Run(2, text, "default", bold=True))
    return Picture(columns, (prompt,), (2 + len(text), 0))


def _height(picture: Picture) -> int:
    return max((at + 1 for at, runs in enumerate(picture.lines) if runs), default=0)


def _style(shown: Sequence[Frame], width: int) -> str:
    total, at, steps = sum(each.seconds for each in shown), 0.0, []
    for number, each in enumerate(shown):
        steps.append(f"{100 * at / total:.3f}%{{transform:translateX({-number * width}px)}}")
        at += each.seconds
    return (
        f"text{{font:{FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}}"
        + "".join(f".{name}{{fill:{color}}}" for name, color in COLORS.items())
        + ".bold{font-weight:700}"
        + f".strip{{transform:translateX({-(len(shown) - 1) * width}px);animation:play {total:.2f}s step-end infinite}}"
        + f"@keyframes play{{{''.join(steps)}}}"
        + "@media (prefers-reduced-motion:reduce){.strip{animation:none}}"
    )


def _frame(picture: Picture, left: int) -> str:
    return "".join(_lines(picture, left))


def _lines(picture: Picture, left: int) -> Iterator[str]:
    for line, runs in enumerate(picture.lines):
        for run in runs:
            text = run.text.rstrip()
            column = run.column + len(text) - len(text.lstrip())
            text = text.lstrip()
            if text:
                x, y = left + SIDE + column * COLUMN, TOP + line * LINE + FONT
                looks = f"{run.color if run.color in COLORS else 'default'}{' bold' if run.bold else ''}"
                # The length keeps the columns where they are, whatever the font has for its glyphs.
                yield (
                    f'<text class="{looks}" x="{x:.1f}" y="{y}" textLength="{len(text) * COLUMN:.1f}">'
                    f"{escape(text)}</text>"
                )
    if picture.cursor is not None:
        column, line = picture.cursor
        x, y = left + SIDE + column * COLUMN, TOP + line * LINE - 1
        yield f'<rect x="{x:.1f}" y="{y}" width="{COLUMN}" height="{LINE - 1}" fill="{COLORS["default"]}"/>'
