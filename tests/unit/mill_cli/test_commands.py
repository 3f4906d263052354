"""The table of commands agrees with the commands that it names."""

from collections.abc import Iterator

import pytest

from mill_cli.command import LazyCommand, LazyGroup
from mill_cli.main import app


def visible(group: LazyGroup, path: str = "mill") -> Iterator[tuple[str, LazyCommand]]:
    """Yield every visible command with its path."""
    for each in group.visible_commands:
        yield f"{path} {each.name}", each
        if isinstance(loaded := each.load(), LazyGroup):
            yield from visible(loaded, f"{path} {each.name}")


COMMANDS = dict(visible(app()))


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_is_loaded_by_the_name_of_the_table(path: str) -> None:
    assert COMMANDS[path].load().name == COMMANDS[path].name


@pytest.mark.parametrize("path", COMMANDS)
def test_the_table_has_the_first_sentence_of_the_help(path: str) -> None:
    row = COMMANDS[path]
    assert row.help.endswith(".")
    assert row.load().get_short_help_str(limit=200) == row.help
