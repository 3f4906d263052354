"""Wrong usage in words, and help: on stdout where it was asked for."""

import json
import re
import textwrap

import click
import pytest

from mill_cli.main import app
from mill_language import parse
from tests.cli.conftest import TOKEN, Mill
from tests.cli.fake_gateway import FakeGateway


def words(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Return all commands below one, with the words that call them."""
    inner = command.commands.items() if isinstance(command, click.Group) else ()
    return [(path, command), *(found for name, each in inner for found in words(each, (*path, name)))]


COMMANDS = {" ".join(path): each for path, each in words(app()) if not each.hidden}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help_that_names_its_options(mill: Mill, gateway: FakeGateway, path: str) -> None:
    done = mill(*path.split(), "--help")
    assert (done.stderr, done.code, gateway.asked) == ("", 0, [])
    assert done.stdout.startswith(f"Usage: mill {path}".rstrip())
    command = COMMANDS[path]
    for param in command.params:
        if isinstance(param, click.Option):
            assert all(name in done.stdout for name in param.opts)
        else:
            assert (param.metavar or str(param.name).upper()) in done.stdout
    if isinstance(command, click.Group):
        assert all(f"\n  {name}  " in done.stdout for name, each in command.commands.items() if not each.hidden)
    else:
        assert "\nGlobal options:\n" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_commands_that_are_left_out_of_the_list(mill: Mill) -> None:
    listed = mill("-h").stdout
    assert listed == mill("--help").stdout
    assert not any(f"\n  {name} " in listed for name in ("init", "join", "leave"))


@pytest.mark.parametrize("path", ["", "secret", "volume"])
def test_a_group_without_a_command_shows_its_help_on_stderr(mill: Mill, path: str) -> None:
    done = mill(*path.split())
    assert (done.stdout, done.stderr, done.code) == ("", mill(*path.split(), "--help").stdout, 2)


def test_the_file_that_the_help_shows_is_valid(mill: Mill) -> None:
    shown = re.search(r'^ +service "web" \{\n(?: .*\n)+?  +\}$', mill("--help").stdout, re.MULTILINE)
    assert shown is not None
    spec = parse(textwrap.dedent(shown[0]))
    assert [(each.name, each.port) for each in spec.services] == [("web", 80)]


def test_help_does_not_show_the_values_of_settings(mill: Mill) -> None:
    for arguments in (["--help"], ["deploy", "--help"], ["--token", TOKEN, "secret", "set", "--help"]):
        assert TOKEN not in mill(*arguments).stdout


@pytest.mark.parametrize(
    ("arguments", "error", "usage"),
    [
        (["stats"], "unrecognized subcommand 'stats': did you mean status?", "mill [OPTIONS] COMMAND [ARGS]..."),
        (["bogus"], "unrecognized subcommand 'bogus'", "mill [OPTIONS] COMMAND [ARGS]..."),
        (["secret", "lst"], "unrecognized subcommand 'lst': did you mean list?", "mill secret [OPTIONS] COMMAND"),
        (["--bogus"], "unexpected argument '--bogus' found", "mill [OPTIONS] COMMAND"),
        (["ps", "--jsn"], "unexpected argument '--jsn' found: did you mean --json?", "mill ps [OPTIONS]"),
        (["ps", "-x"], "unexpected argument '-x' found", "mill ps [OPTIONS]"),
        (["ps", "one"], "unexpected argument 'one' found", "mill ps [OPTIONS]"),
        (["kill", "one", "two", "three"], "unexpected argument 'two three' found", "mill kill [OPTIONS] TASK_ID"),
        (["restart"], "the following required argument was not provided: <SERVICE>", "mill restart [OPTIONS] SERVICE"),
        (["secret", "set"], "the following required argument was not provided: <NAME>", "mill secret set [OPTIONS]"),
        (["spawn", "x", "--cpu", "abc"], "invalid value for --cpu <CPU>: 'abc' is not a valid float", "mill spawn"),
        (["logs", "x", "--tail", "abc"], "invalid value for --tail <N>: 'abc' is not a valid integer", "mill logs"),
        (["logs", "x", "-n", "-1"], "invalid value for --tail <N>: -1 is not in the range x>=0", "mill logs"),
        (["logs", "x", "--tail", "-1"], "invalid value for --tail <N>: -1 is not in the range x>=0", "mill logs"),
        (["render", "-o", "xml"], "invalid value for --output <[yaml|json|mill]>: 'xml' is not one of", "mill render"),
        (["deploy", "-f"], "option '-f' requires an argument", "mill deploy"),
        (["ps", "--token"], "option '--token' requires an argument", "mill ps"),
        (["--token"], "option '--token' requires an argument", "mill"),
        (["ps", "--json=yes"], "option '--json' does not take a value", "mill ps"),
    ],
)
def test_wrong_usage_exits_with_2_and_shows_the_usage(
    mill: Mill, gateway: FakeGateway, arguments: list[str], error: str, usage: str
) -> None:
    done = mill(*arguments)
    first, empty, called, _, last = done.stderr.splitlines()
    assert (done.stdout, done.code, empty, gateway.asked) == ("", 2, "", [])
    assert first.startswith(f"error: {error}")
    assert called.startswith(f"Usage: {usage}")
    command = called.removeprefix("Usage: ").partition(" [")[0]
    assert last == f"For more information, try '{command} --help'."


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["list", "-n", "shop"], "`mill status` lists services, tasks and nodes; "),
        (["destroy"], "`mill delete --help` says what deleting a deployment removes, and what stays"),
        (["secret", "create", "a"], "`mill secret set NAME` sets a secret"),
        (["deploy", "--dry-run", "x.mill"], "`mill diff FILE` shows what a deploy would change"),
        (["status", "-o", "json"], "--json prints JSON"),
    ],
)
def test_what_other_tools_call_otherwise_has_a_hint(
    mill: Mill, gateway: FakeGateway, arguments: list[str], advice: str
) -> None:
    done = mill(*arguments)
    first, hint, *_ = done.stderr.splitlines()
    assert (done.stdout, done.code, gateway.asked) == ("", 2, [])
    assert first.startswith(("error: unrecognized subcommand ", "error: unexpected argument "))
    assert "did you mean" not in first
    assert hint.startswith(f"  help: {advice}")
    told = json.loads(mill(*arguments, "--json").stderr)
    assert told["help"][0].startswith(advice)
