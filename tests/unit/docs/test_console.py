"""Commands of the documentation exist, with their options, and what they print is checked by a test."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mill_cli.main import app
from mill_language import parse_file
from mill_language.inputs import Inputs
from tests.support.pages.blocks import ROOT, Block, blocks, pages
from tests.support.pages.likeness import is_like, same_ids

RUN_AS_WRITTEN = ("docs/guide.md", "docs/tasks.md", "docs/ship-a-release.md")
"""Pages that `tests/e2e/test_pages.py` runs."""
SHELL = ("console", "sh", "bash", "shell")
BLOCKS = [block for page in pages() for block in blocks(page) if block.language in SHELL]
_OPERATORS = re.compile(r"\s(?:\||&&|\|\||;|&)(?:\s|$)|[<>]\s*\S+|\$\(|`")
_WORD = "mill"


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the arguments of each `mill` in a block."""
    lines = [step.command for step in block.steps] if block.language == "console" else block.lines
    for line in lines:
        for part in _OPERATORS.split(line.replace("\\\n", " ")):
            try:
                words = shlex.split(part or "", comments=True)
            except ValueError:  # a quotation over several lines, or a part of one
                continue
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                del words[0]
            if words and words[0] == _WORD:
                yield [each.rstrip(")") for each in words[1:]]


COMMANDS = [
    pytest.param(arguments, id=f"{block}-{' '.join(arguments)[:40]}")
    for block in BLOCKS
    for arguments in commands(block)
]


def test_there_are_commands_in_the_pages() -> None:
    assert len(COMMANDS) >= 20


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_command_of_a_page_can_be_parsed(arguments: list[str]) -> None:
    command: click.Command = app()
    parent, name = None, "mill"
    while True:
        try:
            context = command.make_context(name, list(arguments), parent=parent)
        except click.exceptions.Exit:  # of --version and --help
            return
        if not isinstance(command, click.Group):
            return
        found = command.resolve_command(context, [*context._protected_args, *context.args])
        name, resolved, arguments = found[0] or "", found[1], found[2]
        assert resolved is not None
        command, parent = resolved, context


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.has_output], ids=str)
def test_what_a_page_shows_is_checked_by_a_test(block: Block) -> None:
    if block.note == "checked":
        path, _, name = block.why.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(), "the test that the comment names"
    elif block.note == "not run":
        assert len(block.why) > 10, "why it cannot be run"
    else:
        assert str(block.page.relative_to(ROOT)) in RUN_AS_WRITTEN, "no test runs this page: say what checks the block"


def test_the_guide_names_images_that_the_demo_pushes() -> None:
    guide = (ROOT / "docs/guide.md").read_text()
    demo = (ROOT / "hack/demo.py").read_text()
    named = set(re.findall(r"\bweb:(\d)\b", guide))
    pushed = set(re.search(r'for tag in \(("1", "2")\)', demo)[1].replace('"', "").split(", "))  # type: ignore[index]
    assert named - pushed == {"3"}, "only 3 does not exist, as the guide says"


FILES = [
    block
    for page in pages()
    for block in blocks(page)
    if block.language == "hcl" and block.note != "not run" and re.match(r"(#.*|service|task)", block.lines[0])
]


@pytest.mark.parametrize("block", FILES, ids=str)
def test_a_file_of_a_page_is_valid(block: Block) -> None:
    given = Inputs(read_env_file=lambda _: {}, read_file=lambda _: "")  # the files that it names
    assert parse_file("\n".join(block.lines), inputs=given)


RESOLVED_BY_1 = (' |   reference "x:5050/web:3": x:5050/web:3: not found',)
"""As containerd 1.x ends the message of a pull whose tag does not exist."""
SHOWN = ("  web: scheduled on node-1", "  deployed (11.8s)")


@pytest.mark.parametrize(
    ("shown", "printed", "like"),
    [
        (SHOWN, ("  web: scheduled on node-1", "  deployed (1.2s)"), True),
        (SHOWN, ("  web: scheduled on node-2", "  deployed (1.2s)"), False),
        (SHOWN, SHOWN[:1], False),
        (SHOWN, (*SHOWN, "more"), False),
        ((), (), True),
        ((), ("more",), False),
        (("a", "…", "z"), ("a", "b", "c", "z"), True),
        (("a", "…"), ("a",), True),
        (("b", "…"), ("a", "c"), False),
        (("unpack: …: not found",), ("unpack: by what: not found",), True),
        (("unpack: …: not found",), ("unpack: by what: denied",), False),
        (
            (" ID                STATUS ", " migrate-d4d925c1  failed"),
            (" ID      STATUS", " migrate-0a1b2c3d  failed"),
            True,
        ),
        (("web-84f5888477-mh72g  1/1",), ("web-6d4f9bcd7-x2x8k   1/1   ",), True),
        (("web-84f5888477-mh72g  1/1",), ("web-6d4f9bcd7-x2x8k   0/1",), False),
        (("3  2026-11-25T10:40:33.706Z  0.8s",), ("3  2026-11-26T10:40:33.7Z  10.8s",), True),
        (("service/web  ClusterIP  10.96.90.68  19s",), ("service/web  ClusterIP  10.2.1.8  3m",), True),
        (RESOLVED_BY_1, (" |   image: x:5050/web:3: not found",), True),
        ((" |   image: x:5050/web:3: not found",), RESOLVED_BY_1, True),
        (RESOLVED_BY_1, (" |   image: x:5050/web:4: not found",), False),
        (RESOLVED_BY_1, (" |   image: x:5050/web:3: denied",), False),
        (("node-1  ready  1/2  976.6 MiB/23.4 GiB  4",), ("node-1  ready  0.5/8  1 GiB/3.4 GiB  14",), True),
    ],
)
def test_what_is_alike(shown: tuple[str, ...], printed: tuple[str, ...], *, like: bool) -> None:
    assert is_like(shown, printed) is like


def test_names_of_runs_and_pods_are_those_that_were_printed() -> None:
    shown = (" migrate-d4d925c1 on web-84f5888477-mh72g", "none")
    printed = (" migrate-0a1b2c3d on web-6d4f9bcd7-x2x8k", "none")
    assert dict(same_ids(shown, printed)) == {
        "migrate-d4d925c1": "migrate-0a1b2c3d",
        "web-84f5888477-mh72g": "web-6d4f9bcd7-x2x8k",
    }


def test_a_block_has_its_commands_with_their_output(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n<!-- typed: y -->\n```console\n$ a \\\n    b\n1\n\n2\n$ c\n```\n\n```hcl\n# x.mill\n```\n")
    console, file = blocks(page)
    assert [(each.command, each.output, each.at) for each in console.steps] == [
        ("a \\\n    b", ("1", "", "2"), 6),
        ("c", (), 10),
    ]
    assert (console.note, console.why, console.has_output) == ("typed", "y", True)
    assert (file.language, file.lines, file.note) == ("hcl", ("# x.mill",), "")
