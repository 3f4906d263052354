"""Which line of a command is shown as its answer, and the table of mistakes."""

from typing import Final

from tests.bench.command import Line, Timed
from tests.bench.mistakes.__main__ import CHAPTERS
from tests.bench.mistakes.mistake import Chapter, Mistake, Place
from tests.bench.mistakes.sections import Made, section
from tests.bench.mistakes.words import answer, problem, steady

PICTURE: Final = """\
error: unknown block `servce`
 --> shop.mill:1:1
  |
1 | servce "a" {
  | ^^^^^^
  = help: did you mean `service`?

error: service.web: missing field `image`
 --> shop.mill:4:1"""


def ended(code: int, *lines: Line) -> Timed:
    return Timed(code, 2.5, lines)


def stderr(text: str, seconds: float = 0.5) -> tuple[Line, ...]:
    return tuple(Line(seconds, "stderr", each) for each in text.splitlines())


def not_run(_: Place) -> Timed:
    raise NotImplementedError


def test_a_diagnostic_has_its_place_and_its_own_help() -> None:
    run = ended(1, *stderr(PICTURE))
    first = answer(run, "unknown block")
    assert first is not None
    assert (first.line.text, first.place, first.help) == (
        "error: unknown block `servce`",
        "shop.mill:1:1",
        "did you mean `service`?",
    )
    second = answer(run, "missing field")
    assert second is not None
    assert (second.place, second.help) == ("shop.mill:4:1", "")


def test_a_failure_has_the_help_that_the_other_stream_has_since() -> None:
    run = ended(
        1,
        *stderr("  help: of something before", 0.1),
        Line(5.0, "stdout", "  web: failed: tag not found"),
        *stderr("  help: push the tag", 5.1),
    )
    found = answer(run, "tag not found")
    assert found is not None
    assert (found.line.seconds, found.place, found.help) == (5.0, "", "push the tag")


def test_the_exit_code_and_the_text_are_checked() -> None:
    run = ended(1, *stderr("error: no"))
    assert problem(run, 1, "no") is None
    assert problem(run, 0, "no") == "exit code 1 instead of 0"
    assert problem(run, 1, "yes") == "no line has 'yes'"
    assert answer(run, "yes") is None


def test_longer_names_are_replaced_first() -> None:
    names = {"mistakes-1": "shop", "mistakes-1.example.com": "shop.example.com"}
    assert steady("mistakes-1.example.com in mistakes-1/mill", names) == "shop.example.com in shop/mill"


def test_a_row_has_times_code_and_texts() -> None:
    made, missing = Mistake("typo", not_run, 1, "unknown block"), Mistake("not made", not_run, 1, "x")
    chapter = Chapter("Files", "Each.", (made, missing))
    result = section(chapter, [Made(made, ended(1, *stderr(PICTURE)), {"shop.mill": "FILE"})], "Today.")
    assert result.rows == [
        [
            "typo",
            "0.5",
            "0.5",
            "2.5",
            "1",
            "`FILE:1:1: error: unknown block 'servce'`",
            "`did you mean 'service'?`",
        ],
        ["not made", *["-"] * 6],
    ]


def test_each_title_is_there_once() -> None:
    titles = [each.title for chapter in CHAPTERS.values() for each in chapter.mistakes]
    assert len(titles) == len(set(titles))
