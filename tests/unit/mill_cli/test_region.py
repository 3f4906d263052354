"""Lines that are drawn again in place, as a terminal shows them."""

from io import StringIO

import pyte

from mill_cli.output.region import Region


class Terminal(StringIO):
    """A screen of ten lines, and what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = pyte.Screen(20, 10)
        self.stream = pyte.Stream(self.screen)

    def write(self, text: str) -> int:
        self.stream.feed(text.replace("\n", "\r\n"))
        return super().write(text)

    @property
    def seen(self) -> list[str]:
        """The lines up to the last that is not empty."""
        return "\n".join(each.rstrip() for each in self.screen.display).rstrip("\n").split("\n")


def test_lines_replace_those_before() -> None:
    terminal = Terminal()
    terminal.write("above\n")
    region = Region(terminal)
    for lines in (["one", "two", "three"], ["a longer one", "2"], ["x"], [], ["y", "z"]):
        region.draw(lines)
        assert terminal.seen == ["above", *lines]
        assert terminal.screen.cursor.hidden
    region.clear()
    assert terminal.seen == ["above"]
    assert (terminal.screen.cursor.x, terminal.screen.cursor.y, terminal.screen.cursor.hidden) == (0, 1, False)


def test_the_same_lines_are_not_written_again() -> None:
    terminal = Terminal()
    region = Region(terminal)
    region.draw(["one", "two"])
    before = terminal.getvalue()
    region.draw(("one", "two"))
    assert terminal.getvalue() == before


def test_nothing_is_written_of_nothing() -> None:
    terminal = Terminal()
    Region(terminal).clear()
    assert terminal.getvalue() == ""


def test_lines_at_the_end_of_the_screen_stay_in_place() -> None:
    terminal = Terminal()
    terminal.write("".join(f"{at}\n" for at in range(9)))
    region = Region(terminal)
    for _ in range(3):
        region.draw(["one", "two", "three"])
        region.draw(["one", "two", "3"])
    assert terminal.seen[-4:] == ["8", "one", "two", "3"]
    region.clear()
    assert terminal.seen[-1] == "8"
