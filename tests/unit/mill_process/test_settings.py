"""Settings come from flags, variables and defaults, in this order, and all problems are told at once."""

from dataclasses import dataclass

import pytest

from mill_process.settings import SettingsError, choice, load, number, setting, switch, table, text


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


def test_all_problems_are_told_each_with_its_name_and_what_is_allowed() -> None:
    with pytest.raises(SettingsError) as caught:
        read("--workers 101", MILL_LOG_LEVEL="loud", MILL_TURNS="maybe", MILL_WHERE="  ")
    assert str(caught.value).splitlines() == [
        "MILL_WHERE=  : must not be empty",
        "--workers=101: must be a number from 1 to 100",
        "MILL_LOG_LEVEL=loud: must be one of DEBUG, INFO",
        "MILL_TURNS=maybe: must be true or false",
    ]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "²", "eight"])
def test_what_is_no_number_in_the_range_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="must be a number from 1 to 100"):
        read(MILL_WORKERS=value)


def test_help_names_the_variable_and_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read("--help")
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--workers VALUE how many [MILL_WORKERS; default: 8]" in shown
    assert "--where VALUE where it is [MILL_WHERE; default: here]" in shown


def test_the_table_for_the_documentation() -> None:
    assert table(Settings) == (
        "| variable | flag | default | |\n"
        "|---|---|---|---|\n"
        "| `MILL_WHERE` | `--where` | here | where it is |\n"
        "| `MILL_WORKERS` | `--workers` | 8 | how many |\n"
        "| `MILL_LOG_LEVEL` | `--log-level` | INFO | how much |\n"
        "| `MILL_TURNS` | `--turns` | false | take turns, or not |\n"
    )
