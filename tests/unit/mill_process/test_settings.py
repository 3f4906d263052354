"""Settings come import importlib.metadata
from flags, variables and defaults, in this order, and all problems are reported at once."""

import importlib.metadata
from dataclasses import dataclass
from datetime import timedelta

import pytest

from mill_process.settings import SettingsError, choice, duration, load, number, setting, switch, table, text


@dataclass(frozen=True, slots=True)
class Settings:
    where: str | None = setting(None, text, "where it is", shown="here")
    workers: int = setting(8, number(1, 100), "how many")
    log_level: str = setting("INFO", choice("DEBUG", "INFO"), "how much")
    turns: bool = setting(default=False, read=switch, explanation="take turns, or not")


def read(arguments: str = "", **environment: str) -> Settings:
    return load(Settings, arguments.split(), environment, program="mill-test", about="A test.")


def test_without_anything_the_defaults_count() -> None:
    assert read() == Settings()


def test_variables_and_flags() -> None:
    assert read(MILL_WORKERS="3", MILL_WHERE="there") == Settings(where="there", workers=3)
    assert read("--workers 4 --log-level debug", MILL_WORKERS="3") == Settings(workers=4, log_level="DEBUG")
    assert read("--workers=4") == Settings(workers=4)


@pytest.mark.parametrize(
    ("arguments", "variable", "turns"),
    [
        ("--turns", "", "on"),
        ("--turns=false", "true", "off"),
        ("", "True", "on"),
        ("", "1", "on"),
        ("", "on", "on"),
        ("", "no", "off"),
        ("", "", "off"),
    ],
)
def test_a_switch_may_stand_alone(arguments: str, variable: str, turns: str) -> None:
    assert read(arguments, MILL_TURNS=variable).turns is (turns == "on")


def test_an_empty_variable_is_not_set() -> None:
    assert read(MILL_WORKERS="", MILL_WHERE="") == Settings()


def test_all_problems_are_reported_with_name_and_allowed_values() -> None:
    with pytest.raises(SettingsError) as caught:
        read("--workers 101", MILL_LOG_LEVEL="loud", MILL_TURNS="maybe", MILL_WHERE="  ")
    assert str(caught.value).splitlines() == [
        "MILL_WHERE=  : must not be empty",
        "--workers=101: must be a number from 1 to 100",
        "MILL_LOG_LEVEL=loud: must be one of DEBUG, INFO",
        "MILL_TURNS=maybe: must be true or false",
    ]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "²", "eight"])
def test_a_number_outside_the_range_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="must be a number from 1 to 100"):
        read(MILL_WORKERS=value)


def test_help_names_the_variable_and_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read("--help")
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--workers VALUE how many [MILL_WORKERS; default: 8]" in shown
    assert "--where VALUE where it is [MILL_WHERE; default: here]" in shown


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read("--version")
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"mill-test {importlib.metadata.version('mill-kubernetes')}\n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0s", 0), ("250ms", 0.25), (" 10s ", 10), ("1m30s", 90), ("1m 30s", 90), ("5m", 300)],
)
def test_a_duration_is_read_as_a_file_has_it(text: str, seconds: float) -> None:
    assert duration(timedelta(0), timedelta(minutes=5))(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "-1s", "5m1ms", "10 parsecs", "s", "9" * 5000 + "s", "\u0661s"])
def test_what_is_no_duration_in_the_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a duration from 0s to 5m, such as 10s or 1m30s$"):
        duration(timedelta(0), timedelta(minutes=5))(text)


def test_a_default_that_is_a_duration_is_shown_as_one() -> None:
    @dataclass(frozen=True, slots=True)
    class Timed:
        settle: timedelta = setting(  # noqa: RUF009 - a duration is immutable
            timedelta(seconds=90), duration(timedelta(0), timedelta(minutes=5)), "how long"
        )

    assert "| `MILL_SETTLE` | `--settle` | 1m30s | how long |" in table(Timed)


def test_the_table_for_the_documentation() -> None:
    assert table(Settings) == (
        "| variable | flag | default | |\n"
        "|---|---|---|---|\n"
        "| `MILL_WHERE` | `--where` | here | where it is |\n"
        "| `MILL_WORKERS` | `--workers` | 8 | how many |\n"
        "| `MILL_LOG_LEVEL` | `--log-level` | INFO | how much |\n"
        "| `MILL_TURNS` | `--turns` | false | take turns, or not |\n"
    )


@dataclass(frozen=True, slots=True)
class Renamed:
    watch_place: str | None = setting(None, text, "where it is", former_names=["place", "where"])
    quiet: bool = setting(default=False, read=switch, explanation="say less", former_names=["silent"])


def read_renamed(arguments: str = "", **environment: str) -> tuple[Renamed, list[str]]:
    warnings: list[str] = []
    settings = load(Renamed, arguments.split(), environment, program="mill-test", about="A test.", warn=warnings.append)
    return settings, warnings


def test_a_former_variable_works_and_is_warned_of() -> None:
    expected = ["MILL_PLACE is now MILL_WATCH_PLACE; the former name will stop working in the next release"]
    assert read_renamed(MILL_PLACE="a") == (Renamed(watch_place="a"), expected)


def test_a_former_flag_works_and_is_warned_of() -> None:
    expected = ["--place is now --watch-place; the former name will stop working in the next release"]
    assert read_renamed("--place a") == (Renamed(watch_place="a"), expected)
    assert read_renamed("--silent")[0] == Renamed(quiet=True)


@pytest.mark.parametrize(
    ("arguments", "environment", "ignored"),
    [
        ("", {"MILL_WATCH_PLACE": "new", "MILL_PLACE": "old"}, ["MILL_PLACE"]),
        ("--place old --watch-place new", {}, ["--place"]),
        ("--watch-place new", {"MILL_PLACE": "old"}, ["MILL_PLACE"]),
        ("", {"MILL_WATCH_PLACE": "new", "MILL_PLACE": "old", "MILL_WHERE": "older"}, ["MILL_PLACE", "MILL_WHERE"]),
    ],
)
def test_a_new_name_wins_over_a_former_one(arguments: str, environment: dict[str, str], ignored: list[str]) -> None:
    settings, warnings = read_renamed(arguments, **environment)
    assert settings == Renamed(watch_place="new")
    assert [warning.split(" ")[0] for warning in warnings] == ignored
    assert all("is ignored, because the setting is given twice" in warning for warning in warnings)


def test_a_flag_wins_over_a_variable_whichever_name_it_has() -> None:
    settings, warnings = read_renamed("--place flag", MILL_WATCH_PLACE="variable")
    assert settings == Renamed(watch_place="flag")
    assert [warning.split(" ")[0] for warning in warnings] == ["--place"]


def test_new_names_are_not_warned_of() -> None:
    assert read_renamed("--quiet", MILL_WATCH_PLACE="a", MILL_PLACE="") == (Renamed(watch_place="a", quiet=True), [])


def test_no_warning_has_a_value() -> None:
    _, warnings = read_renamed("--watch-place tok-new", MILL_PLACE="tok-old", MILL_WHERE="tok-older")
    assert warnings
    assert "tok-" not in "".join(warnings)


def test_documentation_shows_no_former_name() -> None:
    shown = table(Renamed)
    assert "MILL_WATCH_PLACE" in shown
    assert "MILL_PLACE" not in shown
    assert "--silent" not in shown
