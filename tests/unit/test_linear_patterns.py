"""Every pattern that meets foreign text costs what the text is long: twice of it costs about twice as much.

Collected are those that `mill_operator.core.patterns` has made, and the constants of the standard library's engine in
the modules that read foreign text. Each is fed with what it is made of, again and again, and with what backtracking
cannot stand.
"""

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mill_operator.core import patterns

ROOT = Path(__file__).parents[2]

FOREIGN = (
    "mill_objects.printable",
    "mill_api.references",
    "mill_language.command_warnings",
    "mill_language.inputs",
    "mill_language.plain_syntax",
    "mill_language.refusals",
    "mill_language.strings",
    "mill_language.substitution",
    "mill_language.values",
    "mill_process.logs",
    "mill_operator.children.applier",
    "mill_operator.core.observed.ownership",
    "mill_operator.core.redaction.blocks",
    "mill_operator.core.redaction.keys",
    "mill_operator.core.redaction.lines",
    "mill_operator.core.redaction.names",
    "mill_operator.core.redaction.prose",
    "mill_operator.core.redaction.shapes",
    "mill_operator.core.redaction.urls",
    "mill_operator.core.rollout.event_messages",
    "mill_operator.core.rollout.conditions",
    "mill_operator.core.observed.jobs",
    "mill_operator.core.routes.namespace_rules",
    "mill_operator.core.tasks.run_rules",
    "mill_operator.core.tasks.runs",
    "mill_operator.core.observed.lookup_results",
    "mill_operator.core.observed.containers",
    "mill_operator.core.verdicts.container_predicates",
    "mill_operator.core.verdicts.probe_messages",
    "mill_operator.core.verdicts.pull_predicates",
    "mill_operator.core.verdicts.scheduling_predicates",
    "mill_operator.core.verdicts.start_predicates",
    "mill_operator.core.verdicts.volume_predicates",
    "mill_operator.core.verdicts.waiting_predicates",
    "mill_operator.core.observed.pods",
    "mill_operator.core.verdicts.findings",
    "mill_operator.core.observed.foreign_text",
    "mill_operator.core.verdicts.lookup_requests",
    "mill_operator.core.redaction.redact",
    "mill_operator.core.verdicts.rules",
    "mill_operator.core.verdicts.pod_predicates",
    "mill_operator.core.verdicts.pulls",
    "mill_operator.core.verdicts.pod_subjects",
    "mill_operator.core.observed.messages",
    "mill_gateway.core.log_lines",
    "mill_gateway.core.problems",
    "mill_gateway.objects.claims",
    "mill_gateway.objects.deployments",
    "mill_gateway.objects.jobs",
    "mill_gateway.objects.nodes",
    "mill_gateway.objects.pods",
    "mill_gateway.middleware.request_log",
    "mill_gateway.streams.logs",
    "mill_cli.connection.failures",
    "mill_cli.explain",
    "mill_cli.output.cells",
    "mill_cli.output.differences",
    "mill_cli.output.failures",
    "mill_cli.output.lines",
    "mill_cli.output.rows",
    "mill_cli.output.tables",
    "mill_cli.output.text",
)
"""Modules that receive foreign text."""

ALLOWED = {
    "mill_cli.explain": {"sub"},  # over the texts of our own table of codes
    "mill_cli.output.failures": {"sub"},  # the name of a service alone
    "mill_gateway.core.log_lines": {"sub"},  # a class alone
    "mill_language.strings": {"compile"},  # blanks at the beginning of lines, of which there is a number
    "mill_operator.core.redaction.urls": {"split"},  # at a class alone
}
"""Calls of `re` with a pattern in place that have been looked at."""

ANCHORED = {
    "mill_language.inputs": {"_LINE", "_QUOTED"},
    "mill_language.plain_syntax": {"_BLANK", "_ITEM", "_KEY", "_LABEL", "_SIMPLE", "_VALUE"},
    "mill_language.substitution": {"_ALMOST"},
}
"""Patterns that are never searched for: a match begins where it is tried, or is all of a text."""

PUMPS = (
    "pwd", "a", "A", "0", "ab", "\"", "'", "\\", " ", "\t", "\n", "a ", "a\n", "://", "a://", "a://b:", "@",
    "a@", ":", "=", "a=", "key=", "-----BEGIN ", "-----END ", "-----BEGIN A-----", "-", ".", "a.", "a.b", "/",
    "%", "%25", "%3A", "[", "{", "(", "<", "<a ", "\x1b", "\x1b[", "\x1b]", "\x1b[0", "\x9b", "not found",
    ": not found", "failed to copy", "é", "\u202e", "eyJ", "sk-",
)  # fmt: skip

SIZES = (4_000, 8_000)
MOST = 3.0
"""Times as much for twice the length; what is quadratic costs four times as much."""
NOISE = 0.0004
"""Seconds below which nothing is measured."""


def _standard() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name in FOREIGN:
        module = importlib.import_module(name)
        for constant, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{name}.{constant}", value


def _all() -> dict[str, Any]:
    standard = dict(_standard())  # which imports all that is to be collected
    made = {f"{number}: {each.pattern[:40]}": each for number, each in enumerate(patterns.MADE)}
    return {**made, **standard}


EVERY = _all()


def _pumps(regex: str) -> list[str]:
    """Return a pattern's own literals, each of them, and all together."""
    words = re.findall(r"[A-Za-z0-9_]{2,}|[-:=@/\"'<>%. ]", re.sub(r"\\[a-zA-Z]|\(\?[a-zA-Z<>:!=]*", " ", regex))
    unique = list(dict.fromkeys(words))[:25]
    return [*PUMPS, *unique, *(["".join(unique), " ".join(unique)] if unique else [])]


def _cost(work: Callable[[str], object], text: str, runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        began = time.thread_time()  # of this thread alone, whatever else the machine does
        work(text)
        best = min(best, time.thread_time() - began)
    return best


def _is_linear(work: Callable[[str], object], pump: str) -> bool:
    short, long = (pump * (size // len(pump)) for size in SIZES)
    if _cost(work, long, 1) < NOISE:
        return True
    for runs in (3, 8, 20):  # a machine that does something else, too
        once, twice = _cost(work, short, runs), _cost(work, long, runs)
        if twice < max(MOST * once, NOISE):
            return True
    return False


@pytest.mark.parametrize("name", EVERY)
def test_a_pattern_is_linear(name: str) -> None:
    compiled = EVERY[name]
    regex = compiled.pattern
    binary = isinstance(regex, bytes)
    again = isinstance(compiled, re.Pattern) or any(compiled is each for each in patterns.MADE_REPEATED)

    module, _, constant = name.rpartition(".")
    is_anchored = constant in ANCHORED.get(module, ())

    def work(text: str) -> None:
        subject: Any = text.encode() if binary else text
        if is_anchored:
            pass
        elif again:
            for _ in compiled.finditer(subject):
                pass
        else:
            compiled.search(subject)
        compiled.match(subject)
        compiled.fullmatch(subject)

    shown = regex.decode("latin-1") if binary else regex
    assert [pump for pump in _pumps(shown) if not _is_linear(work, pump)] == []


def test_every_module_of_verdicts_and_redaction_is_collected() -> None:
    folders = ("verdicts", "redaction")
    here = {
        f"mill_operator.core.{folder}.{file.stem}"
        for folder in folders
        for file in (ROOT / "operator/mill_operator/core" / folder).glob("*.py")
        if "import re\n" in file.read_text() or "core.patterns" in file.read_text()
    }
    assert here <= set(FOREIGN)


@pytest.mark.parametrize("name", sorted(ANCHORED))
def test_an_anchored_pattern_is_never_searched_for(name: str) -> None:
    file = importlib.import_module(name).__file__
    assert file is not None
    called = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(Path(file).read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ANCHORED[name]
    }
    assert {constant for constant, _ in called} == ANCHORED[name]
    assert {attribute for _, attribute in called} <= {"match", "fullmatch"}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_module_that_reads_foreign_text_has_its_patterns_as_constants(name: str) -> None:
    """A pattern that is made in a function, or out of a text, is not covered by the test above."""
    file = importlib.import_module(name).__file__
    assert file is not None
    tree = ast.parse(Path(file).read_text())
    constants = {
        id(node)
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None
        for node in ast.walk(statement.value)
    }
    calls = [
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"re", "re2"}
        and not (node.func.attr == "compile" and id(node) in constants)
        and node.func.attr != "escape"
    ]
    assert set(calls) <= ALLOWED.get(name, set())
