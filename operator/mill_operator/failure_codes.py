"""docs/failure-codes.md, made from the judge's table: `python -m mill_operator.failure_codes --write FILE`."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mill_operator.core.tasks.run_rules import RUN_RULES
from mill_operator.core.verdicts.rules import NOT_STOPPED, TABLE, TIMEOUT, Rule, Speed

_HEADER: Final = """\
<!-- Generated from mill_operator.core.verdicts.rules by `python -m mill_operator.failure_codes`; do not edit. -->
# Failure codes

Why a service is `Failed` or `Suspect`: `status.services[].reason` has the code, `message` the reason in words.
Of several causes, one whose time is up is told before one that still waits, and then the first in this order.
*Permanent* causes fail at the first sighting; *likely* ones, and those that *need time*, are `Suspect` first.

The same table judges the runs of tasks (`status.tasks[].runs[].reason`). A run is one attempt: the first crash is its
end, and the last causes of this page are a run's alone.
"""


def to_markdown() -> str:
    """Return the text of the file."""
    rules_of: dict[str, list[Rule]] = {}
    for rule in (*TABLE, TIMEOUT, NOT_STOPPED, *RUN_RULES):
        rules_of.setdefault(rule.code, []).append(rule)
    return "\n".join([_HEADER, *(line for code, rules in rules_of.items() for line in _section(code, rules))])


def _section(code: str, rules: list[Rule]) -> Iterator[str]:
    yield f"## {code}"
    for rule in rules:
        yield ""
        yield f"> {_shown(rule.message)}"
        yield ""
        yield f"- Seen: {rule.evidence}."
        yield f"- Fails: {_when(rule)} ({rule.speed.value}; rule `{rule.id}`)."
        yield f"- What to do: {_shown(rule.suggestion)}"
    yield ""


def _when(rule: Rule) -> str:
    if rule.speed is Speed.NO_EVIDENCE:
        return "never by itself; what makes no progress for ten minutes is a `Timeout`"
    seconds = rule.grace.total_seconds()
    return f"after {seconds:g} s" if seconds else "at once"


def _shown(text: str) -> str:
    """Return a text with its variables as people write them."""
    return re.sub(r"\{(\w+)\}", lambda found: f"*{found[1]}*", text)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the file."""
    parser = argparse.ArgumentParser(prog="python -m mill_operator.failure_codes", description="The failure codes.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", type=Path, metavar="FILE", help="write it to a file")
    mode.add_argument("--check", type=Path, metavar="FILE", help="fail if a file is not up to date")
    options = parser.parse_args(arguments)
    if options.write is not None:
        options.write.write_text(to_markdown(), encoding="utf-8")
    elif not options.check.exists() or options.check.read_text(encoding="utf-8") != to_markdown():
        sys.stderr.write(f"{options.check} is stale: run `make generate`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
