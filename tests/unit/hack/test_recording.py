"""A recording becomes frames, and frames become a picture."""

import re
from xml.etree import ElementTree as ET

from hack.pictures.recording import PAUSE_SECONDS, REST_SECONDS, TYPING_SECONDS, Frame, frames, svg
from hack.pictures.terminal import Picture, Run, Written, pictures

SVG = "{http://www.w3.org/2000/svg}"


def seen(*written: tuple[float, str]) -> list[tuple[float, Picture]]:
    return list(pictures([Written(at, text.encode()) for at, text in written], 40, 10))


def test_a_command_is_typed_and_then_shows_what_it_did() -> None:
    shown = frames("ls", seen((0.5, "a\r\n"), (1.5, "b\r\n")), 40)
    assert [(each.seconds, each.picture.text) for each in shown] == [
        (TYPING_SECONDS, "$\n"),
        (TYPING_SECONDS, "$ l\n"),
        (PAUSE_SECONDS, "$ ls\n"),
        (0.5, "$ ls\n"),
        (1.0, "$ ls\na\n"),
        (REST_SECONDS, "$ ls\na\nb\n"),
    ]
    assert shown[1].picture.cursor == (3, 0)
    assert {each.picture.cursor for each in shown[3:]} == {None}


def test_an_invisible_change_is_no_frame() -> None:
    shown = frames("ls", seen((0.5, "a"), (0.501, "b"), (0.502, "\x1b[?25l"), (1.5, "c")), 40)
    assert [each.picture.text for each in shown[3:]] == ["$ ls\n", "$ ls\nab\n", "$ ls\nabc\n"]
    assert sum(each.seconds for each in shown[3:-1]) == 1.5


def test_the_terminal_is_read_with_its_colours() -> None:
    [(_, picture)] = seen((0.0, "\x1b[1;31mfailed:\x1b[0m tag \x1b[2mdim\x1b[0m \x1b[32mgood"))
    assert picture.lines[0] == (
        Run(0, "failed:", "red", bold=True),
        Run(7, " tag ", "default", bold=False),
        Run(12, "dim", "brightblack", bold=False),
        Run(15, " ", "default", bold=False),
        Run(16, "good", "green", bold=False),
    )
    assert picture.cursor == (20, 0)


def test_the_picture_is_xml_that_needs_nothing_else() -> None:
    shown = frames("cat <a> & b", seen((0.5, "\x1b[32m<&>\x1b[0m  x\x1b[?25l")), 40)
    text = svg(shown, "what & why")
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert root.find(f"{SVG}title").text == "what & why"
    assert root.find(f"{SVG}desc").text == "$ cat <a> & b\n<&>  x\n"
    assert not re.search(r"<script|href|url\((?!#)|@import", text)
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


def test_each_frame_has_its_time_and_its_place() -> None:
    pages = [Picture(10, ((Run(0, f"page {at}", "default", bold=False),),), None) for at in range(3)]
    text = svg([Frame(1.0, pages[0]), Frame(2.0, pages[1]), Frame(5.0, pages[2])], "pages")
    width = int(re.search(r'width="(\d+)"', text)[1])
    assert "animation:play 8.00s step-end infinite" in text
    steps = re.findall(r"([\d.]+)%\{transform:translateX\((-?\d+)px\)\}", text)
    assert steps == [("0.000", "0"), ("12.500", f"-{width}"), ("37.500", f"-{2 * width}")]
    assert f".strip{{transform:translateX(-{2 * width}px)" in text  # where nothing moves
    assert "prefers-reduced-motion:reduce){.strip{animation:none}}" in text
    places = [float(each.get("x")) for each in ET.fromstring(text).iter(f"{SVG}text")]  # noqa: S314
    assert [place - places[0] for place in places] == [0, width, 2 * width]
