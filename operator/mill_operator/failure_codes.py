"""The table of rules for people: docs/failure-codes.md, and the JSON that `mill explain` shows.

The command line never imports the operator, so it carries its own copy, which `make lint` keeps the same.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from mill_operator.core.tasks.run_rules import RUN_RULES
from mill_operator.core.verdicts.rule import Reason, Speed
from mill_operator.core.verdicts.rules import TABLE
from mill_operator.core.verdicts.rules.progress import NOT_BEGUN, NOT_STOPPED, TIMEOUT, WAITING

_HEADER: Final = """\
<!-- Generated from mill_operator.core.verdicts.rules by `python -m mill_operator.failure_codes`; do not edit. -->
# Failure codes

Why a service is `Failed` or `Suspect`: `status.services[].reason` has the code, `message` the reason in words.
Of several causes, one whose time is up is reported before one that still waits, and then the first in this order.
*Permanent* causes fail at the first sighting; *likely* ones, and those that *need time*, are `Suspect` first.

The same table judges the runs of tasks (`status.tasks[].runs[].reason`). A run is one attempt: the first crash is its
end, and the last causes of this page are a run's alone.

Is one of them wrong? [Report it](report-a-verdict.md): what led to it can be recorded, and judged again.
"""


def to_markdown() -> str:
    """Return the text of the page."""
    return "\n".join([_HEADER, *(line for code, rules in _by_code().items() for line in _section(code, rules))])


def to_json() -> str:
    """Return the causes of each code, in the order of the page."""
    causes = {code: [_cause(rule) for rule in rules] for code, rules in _by_code().items()}
    return json.dumps(causes, indent=2, ensure_ascii=False) + "\n"


def _by_code() -> Mapping[str, list[Reason]]:
    rules_of: dict[str, list[Reason]] = {}
    for rule in (*TABLE, NOT_BEGUN, WAITING, TIMEOUT, NOT_STOPPED, *RUN_RULES):
        rules_of.setdefault(rule.code, []).append(rule)
    return rules_of


def _section(code: str, rules: list[Reason]) -> Iterator[str]:
    yield f"## {code}"
    for rule in rules:
        yield ""
        yield f"> {_shown(rule.message, '*{}*')}"
        yield ""
        yield f"- Seen: {rule.evidence}."
        yield f"- Fails: {_when(rule)} ({rule.speed.value}; rule `{rule.id}`)."
        yield f"- What to do: {_shown(rule.suggestion, '*{}*')}"
    yield ""


def _cause(rule: Reason) -> dict[str, str]:
    return {
        "message": _shown(rule.message, "<{}>"),
        "seen": rule.evidence,
        "fails": f"{_when(rule)} ({rule.speed.value})",
        "suggestion": _shown(rule.suggestion, "<{}>"),
        "rule": rule.id,
    }


def _when(rule: Reason) -> str:
    if rule.speed is Speed.NO_EVIDENCE:
        return "never by itself; what makes no progress for ten minutes is a `Timeout`"
    seconds = rule.grace.total_seconds()
    return f"after {seconds:g} s" if seconds else "at once"


def _shown(text: str, variable: str) -> str:
    """Return a text with its variables as people write them."""
    return re.sub(r"\{(\w+)\}", lambda found: variable.format(found[1]), text)
