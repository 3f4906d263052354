"""`mill fmt`: which files change, what is printed, and that nothing else is touched."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mill

LOOSE = 'service "web" {\nimage="web:1" # why\n port = 80\n}\n'
NEAT = 'service "web" {\n  image = "web:1" # why\n  port  = 80\n}\n'
BROKEN = 'service "web" {\n  image = \n}\n'


def test_files_are_written_and_those_that_change_are_named(mill: Mill) -> None:
    for name, text in (("loose.mill", LOOSE), ("neat.mill", NEAT), ("other.conf", LOOSE)):
        mill.file(text, name)
    loose, neat = Path(mill.folder, "loose.mill"), Path(mill.folder, "neat.mill")
    loose.chmod(0o640)
    written = neat.stat().st_mtime_ns
    done = mill("fmt", "loose.mill", "neat.mill", "other.conf")
    assert (done.stdout, done.stderr, done.code) == ("loose.mill\nother.conf\n", "", 0)
    assert {each.name: each.read_text() for each in Path(mill.folder).iterdir() if each.is_file()} == {
        "loose.mill": NEAT,
        "neat.mill": NEAT,
        "other.conf": NEAT,
    }
    assert (loose.stat().st_mode & 0o777, neat.stat().st_mtime_ns) == (0o640, written)
    assert mill("fmt", "loose.mill").stdout == ""


def test_without_a_file_it_is_the_one_that_is_there(mill: Mill) -> None:
    file = Path(mill.folder, mill.file(LOOSE, "blue.mill"))
    assert mill("fmt").stdout == "blue.mill\n"
    assert file.read_text() == NEAT
    mill.file(LOOSE, "red.mill")
    assert mill("fmt").code == 4


def test_check_changes_nothing_and_names_files(mill: Mill) -> None:
    mill.file(NEAT, "neat.mill")
    loose = Path(mill.folder, mill.file(LOOSE, "loose.mill"))
    for options in ((), ("-q",)):
        done = mill("fmt", "--check", "neat.mill", "loose.mill", *options)
        assert (done.stdout, done.stderr, done.code) == ("loose.mill\n", "", 1)
    assert loose.read_text() == LOOSE
    done = mill("fmt", "--check", "neat.mill")
    assert (done.stdout, done.stderr, done.code) == ("", "", 0)
    done = mill("fmt", "--check", "--json", "neat.mill", "loose.mill")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"filename": "neat.mill", "changed": False},
        {"filename": "loose.mill", "changed": True},
    ]


def test_standard_input_is_printed(mill: Mill) -> None:
    done = mill("fmt", "-", stdin=LOOSE.replace("\n", "\r\n"))
    assert (done.stdout, done.stderr, done.code) == (NEAT.replace("\n", "\r\n"), "", 0)
    done = mill("fmt", "--check", "-", stdin=LOOSE)
    assert (done.stdout, done.stderr, done.code) == ("<stdin>\n", "", 1)


def test_a_file_with_errors_of_syntax_stays_and_the_others_change(mill: Mill) -> None:
    for name, text in (("broken.mill", BROKEN), ("loose.mill", LOOSE)):
        mill.file(text, name)
    done = mill("fmt", "broken.mill", "loose.mill")
    assert (done.stdout, done.code) == ("loose.mill\n", 1)
    assert done.stderr.startswith("error: ")
    assert "--> broken.mill:2:" in done.stderr
    assert Path(mill.folder, "broken.mill").read_text() == BROKEN
    done = mill("fmt", "-", stdin=BROKEN)
    assert (done.stdout, done.code) == ("", 1)
    as_lines = mill("fmt", "--json", "broken.mill")
    assert [json.loads(line)["line"] for line in as_lines.stdout.splitlines()] == [2]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("shop.yaml", "apiVersion: mill.dev/v1alpha1\nkind: MillDeployment\n", "error: shop.yaml is no .mill file\n"),
        ("compose.mill", "services:\n  web: {}\n", "error: compose.mill is no .mill file\n"),
    ],
)
def test_other_files_are_refused_before_any_is_written(mill: Mill, name: str, text: str, message: str) -> None:
    loose = Path(mill.folder, mill.file(LOOSE, "loose.mill"))
    mill.file(text, name)
    done = mill("fmt", "loose.mill", name)
    assert (done.stdout, done.code, loose.read_text()) == ("", 2, LOOSE)
    assert done.stderr.startswith(message)


def test_the_file_behind_a_link_changes_and_the_link_stays(mill: Mill) -> None:
    Path(mill.folder, "real").mkdir()
    file = Path(mill.folder, mill.file(LOOSE, "real/shop.mill"))
    link = Path(mill.folder, "shop.mill")
    link.symlink_to("real/shop.mill")
    assert mill("fmt", "shop.mill").code == 0
    assert (link.is_symlink(), file.read_text()) == (True, NEAT)


def test_what_is_no_file_is_not_replaced(mill: Mill) -> None:
    done = mill("fmt", "/dev/stdin", stdin=LOOSE)
    assert (done.stdout, done.code) == ("", 4)
    assert "not a regular file" in done.stderr
