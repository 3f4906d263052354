"""Words of other tools: each leads to something that exists, and none to a command that removes something."""

import re

import click
import pytest

from mill_cli.command import LazyGroup
from mill_cli.main import app
from mill_cli.options import shared
from mill_cli.other_words import COMMANDS, OPTIONS, REMOVING, nearest_command

APP = app()
VISIBLE = [each.name for each in APP.visible_commands]
HINTS = sorted({advice for words in COMMANDS.values() for advice in words.values()} | set(OPTIONS.values()))


def called(words: str) -> click.Command:
    """Return the command that the words of a hint call."""
    command: click.Command = APP
    for word in words.split()[1:]:
        if not isinstance(command, LazyGroup) or not word.islower() or word.startswith("-"):
            break
        found = command.get_command(click.Context(command), word)
        assert found is not None, words
        command = found
    return command


@pytest.mark.parametrize("hint", HINTS)
def test_a_hint_names_commands_and_options_that_exist(hint: str) -> None:
    for words in re.findall(r"`(mill [^`]+)`", hint):
        known = {name for each in called(words).params for name in each.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", words)) <= known
    rest = re.sub(r"`[^`]+`", "", hint)
    known = {name for each in shared() for name in each.opts}
    known |= {name for command in ("logs", "deploy") for each in called(f"mill {command}").params for name in each.opts}
    assert set(re.findall(r"--[a-z-]+", rest)) <= known


@pytest.mark.parametrize("hint", HINTS)
def test_a_hint_never_runs_what_removes(hint: str) -> None:
    for words in re.findall(r"`mill ([^`]+)`", hint):
        assert not REMOVING.intersection(words.split()) or words.endswith("--help")


def test_a_word_of_the_tables_is_no_command() -> None:
    assert not set(COMMANDS["mill"]).intersection(APP.lazy_commands)
    for group in ("secret", "volume"):
        found = APP.get_command(click.Context(APP), group)
        assert isinstance(found, LazyGroup)
        assert not set(COMMANDS[group]).intersection(found.lazy_commands)


@pytest.mark.parametrize(
    "word",
    [
        "list",
        "ls",
        "get",
        "up",
        "apply",
        "scale",
        "describe",
        "events",
        "top",
        "rollout",
        "undo",
        "destroy",
        "down",
    ],
)
def test_what_everybody_types_has_a_hint(word: str) -> None:
    near, advice = nearest_command(word, "mill", VISIBLE)
    assert near is None
    assert advice is not None


@pytest.mark.parametrize(
    "word", ["destroy", "destroyy", "DESTROY", "delett", "dele", "delete-all", "remov", "kil", "drian"]
)
def test_no_word_is_corrected_to_what_removes_and_none_for_it_to_deploy(word: str) -> None:
    near, advice = nearest_command(word, "mill", VISIBLE)
    assert near is None
    assert "deploy FILE" not in (advice or "")


@pytest.mark.parametrize(
    ("word", "near"),
    [("deplooy", "deploy"), ("stats", "status"), ("log", "logs"), ("validat", "validate"), ("xyzzy", None), ("", None)],
)
def test_a_misspelled_command_is_corrected(word: str, near: str | None) -> None:
    assert nearest_command(word, "mill", VISIBLE) == (near, None)


def test_a_misspelled_word_of_other_tools_has_its_hint() -> None:
    assert nearest_command("describee", "mill", VISIBLE) == nearest_command("describe", "mill", VISIBLE)


def test_a_group_without_a_table_has_no_hints() -> None:
    assert nearest_command("lst", "other", ["list"]) == ("list", None)
