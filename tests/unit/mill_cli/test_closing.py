"""What stays on a terminal of a rollout."""

import pytest

from mill_cli.output.cells import line_width, paint
from mill_cli.output.closing import Closing, service_text
from mill_cli.output.failures import Failure
from mill_cli.output.glyphs import ASCII, UNICODE
from mill_cli.output.lines import DEPLOY
from mill_cli.output.rows import Row
from tests.support.styled_lines import with_styles

TAG = "image pull failed: tag not found"


def healthy(name: str, elapsed: float | None = None) -> Row:
    return Row(name, 0.0, 1.0, "healthy", "healthy", elapsed=elapsed)


def failed(name: str, failure: Failure) -> Row:
    return Row(name, 0.0, 1.0, failure.reason, "failed", failure=failure)


def tag(service: str) -> Row:
    known = Failure(TAG, f"image x/{service}:9", (f"x/{service}:9: not found",), "Push the tag.", "TagNotFound")
    return failed(service, known)


def report(*rows: Row, columns: int = 80) -> list[str]:
    lines = list(Closing(columns, UNICODE).report(rows))
    assert max(map(line_width, lines), default=0) <= columns
    return [paint(each, colored=False) for each in lines]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (healthy("web", 3.94), "<green>healthy</><dim> (3.9s)</>"),
        (healthy("web"), "<green>healthy</>"),
        (Row("web", 0.0, text="healthy", kind="settling", elapsed=2.0), "<green>healthy</><dim> (2.0s)</>"),
        (Row("web", 0.0, 1.0, "stopped", "stopped", elapsed=0.5), "stopped<dim> (0.5s)</>"),
        (Row("web", 0.0, text="crashed", kind="suspect", elapsed=2.0), "crashed"),
        (Row("web", 0.0), "waiting"),
    ],
)
def test_a_service_has_its_verdict_and_time(row: Row, text: str) -> None:
    assert with_styles(service_text(row)) == text


def test_failures_come_after_the_others_with_their_details() -> None:
    lines = report(tag("broken"), healthy("web", 3.9), Row("old", 0.0, text="pulling the image", kind="starting"))
    assert lines == [
        "  web:    healthy (3.9s)",
        "  old:    pulling the image",
        "  broken: failed: image pull failed: tag not found",
        "    | x/broken:9: not found",
        "    help: Push the tag.",
        "    code: TagNotFound (`mill explain TagNotFound`)",
    ]


def test_services_with_the_same_cause_are_one_failure() -> None:
    quota = Failure("quota exceeded", evidence=("used: 5",), suggestion="Request less.", code="QuotaExceeded")
    lines = report(tag("web"), failed("a", quota), tag("api-gateway"), failed("b", quota), failed("c", quota))
    assert lines == [
        "  2 services: failed: image pull failed: tag not found",
        "    web:         image x/web:9",
        "    api-gateway: image x/api-gateway:9",
        "    help: Push the tag.",
        "    code: TagNotFound (`mill explain TagNotFound`)",
        "  3 services: failed: quota exceeded",
        "    a, b, c",
        "    | used: 5",
        "    help: Request less.",
        "    code: QuotaExceeded (`mill explain QuotaExceeded`)",
    ]


def test_a_failure_is_wrapped_with_all_that_is_known() -> None:
    known = Failure(
        "no such tag, or it is not for us",
        "",
        ("said the runtime, and went on about it for long", "", "\tline 2"),
        "push the tag, then go on and deploy again",
        "NoTag",
    )
    lines = Closing(40, UNICODE).report([failed("broken", known)])
    assert [with_styles(each) for each in lines] == [
        "  broken: <bold red>failed:</> no such tag, or it is",
        "          not for us",
        "<dim>    | said the runtime, and went on</>",
        "<dim>    |   about it for long</>",
        "<dim>    | </>",
        "<dim>    |         line 2</>",
        "    <bold>help:</> push the tag, then go on and",
        "          deploy again",
        "    <dim>code: NoTag (`mill explain NoTag`)</>",
    ]


LONG = "a-service-with-a-name-that-is-as-long-as-kubernetes-allows-eu-1"


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (
            59,
            [
                f"  {'web:':20} healthy (3.9s)",
                "  a-service-with-a-name-th…-allows-eu-1: healthy (3.9s)",
                "  another-service-with-a-n…at-breaks-us: failed: image pull",
                "    failed: tag not found",
            ],
        ),
        (
            139,
            [
                f"  {'web:':33} healthy (3.9s)",
                f"  {LONG}: healthy (3.9s)",
                "  another-service-with-a-name-that-breaks-us: failed: image pull failed: tag not found",
            ],
        ),
    ],
)
def test_no_line_breaks_after_a_name(columns: int, lines: list[str]) -> None:
    rows = healthy("web", 3.9), healthy(LONG, 3.9), failed("another-service-with-a-name-that-breaks-us", Failure(TAG))
    assert report(*rows, columns=columns) == lines


def test_wide_characters_fit() -> None:
    assert report(failed("漢" * 30, Failure("漢字" * 30)), columns=40)


def test_a_service_may_be_called_anything() -> None:
    assert [with_styles(each) for each in Closing(80, UNICODE).report([healthy("failed"), healthy("[red]:tada:")])] == [
        "  failed:      <green>healthy</>",
        "  [red]:tada:: <green>healthy</>",
    ]


@pytest.mark.parametrize(
    ("rows", "done", "lines"),
    [
        ([], {"success": True, "elapsed": 0.0}, ["  <bold green>deployed (0.0s)</>"]),
        ([], {"success": True}, ["  <bold green>deployed</>"]),
        ([], {}, ["  <bold red>deploy finished with errors</>"]),
        (
            [healthy("web"), healthy("api"), Row("old", 0.0, 1.0, "stopped", "stopped")],
            {"success": True, "elapsed": 25.13},
            ["  <bold green>deployed: 2 healthy, 1 stopped (25.1s)</>"],
        ),
        (
            [healthy("web"), tag("broken"), tag("api")],
            {"success": False, "elapsed": 3.2},
            ["  <bold red>deploy finished with errors: 1 healthy, 2 failed (3.2s)</>"],
        ),
        (
            [tag("broken"), failed("api", Failure("crashed"))],
            {"success": False},
            [
                "  <bold red>failed:</> broken, api",
                "  <bold red>deploy finished with errors: 2 failed</>",
            ],
        ),
    ],
)
def test_the_summary_counts_and_names_failures_of_several_causes(
    rows: list[Row], done: dict[str, object], lines: list[str]
) -> None:
    assert [with_styles(each) for each in Closing(80, UNICODE).summary(rows, DEPLOY, done)] == lines


def test_what_is_about_no_service() -> None:
    (line,) = Closing(80, UNICODE).operation("failed: superseded by generation 5")
    assert with_styles(line) == "  <bold red>failed:</> superseded by generation 5"


def test_a_terminal_without_unicode() -> None:
    lines = Closing(59, ASCII).report([healthy("ä" * 60), failed("web", Failure("ärger"))])
    texts = [paint(each, colored=False) for each in lines]
    assert all(each.isascii() for each in texts)
    assert texts[-1].endswith(r"failed: \xe4rger")
