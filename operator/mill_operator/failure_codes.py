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
from mill_operator.core.verdicts.rules.progress import NOT_BEGUN, NOT_STOPPED, RELEASE_FAILED, TIMEOUT, WAITING
from mill_operator.explanations import EXPLANATIONS, PLACES, SUBJECTS, Explanation

REASONS: Final[tuple[Reason, ...]] = (*TABLE, NOT_BEGUN, RELEASE_FAILED, WAITING, TIMEOUT, NOT_STOPPED, *RUN_RULES)
"""Every reason of a failure or suspicion, in the order of the page."""

_HEADER: Final = """\
<!-- Generated from mill_operator.core.verdicts.rules and mill_operator/explanations.toml by
`python -m mill_operator.failure_codes`; do not edit. -->
# Failure codes

Why a service is `Failed` or `Suspect`: `status.services[].reason` has the code, `message` the reason in words.
Of several causes, one whose time is up is reported before one that still waits, and then the first in the order of the
sections. *Permanent* causes fail at the first sighting; *likely* ones, and those that *need time*, are `Suspect` first.
What Kubernetes heals by itself has at least the time that Kubernetes needs for it. A failure is no end: a service that
heals is healthy again.

A service with a volume has no older pods beside the new ones. If its version fails, the operator takes that version
back and starts the last one that worked, but only for causes that are the version's own: its image, start, run or
health. What a node, a volume or the cluster does would meet the older version too. What is missing beside the version,
such as a Secret, heals without another version. Containers that something else injects are not the version's either.

The same table judges the runs of tasks (`status.tasks[].runs[].reason`). A run is one attempt: the first crash is its
end, and the last causes of this page are a run's alone.

Is one of them wrong? [Report it](report-a-verdict.md): what led to it can be recorded, and judged again.
"""
_CONTENTS: Final = ("| code | fails | takes a version back |", "|---|---|---|")


def to_markdown() -> str:
    """Return the text of the page."""
    sections = (line for code, rules in _by_code().items() for line in _section(code, rules))
    return "\n".join([_HEADER, *_contents(), *sections])


def to_json() -> str:
    """Return each code with its explanation and causes, in the order of the page."""
    entries = {code: _entry(EXPLANATIONS[code], rules) for code, rules in _by_code().items()}
    return json.dumps({"subjects": dict(SUBJECTS), "codes": entries}, indent=2, ensure_ascii=False) + "\n"


def _by_code() -> Mapping[str, list[Reason]]:
    rules_of: dict[str, list[Reason]] = {}
    for rule in REASONS:
        rules_of.setdefault(rule.code, []).append(rule)
    return rules_of


def _contents() -> Iterator[str]:
    for subject, title in SUBJECTS.items():
        yield from (f"**{title}**", "", *_CONTENTS)
        for code, rules in _by_code().items():
            if EXPLANATIONS[code].subject == subject:
                times = ", or ".join(dict.fromkeys(_when(rule).split(";")[0] for rule in rules))
                answers = {_takes_back(rule) for rule in rules}
                back = answers.pop() if len(answers) == 1 else "for some causes"
                yield f"| [{code}](#{code.lower()}) | {times} | {back} |"
        yield ""


def _section(code: str, rules: list[Reason]) -> Iterator[str]:
    given = EXPLANATIONS[code]
    source = f" ([source]({given.source}))" if given.source else ""
    yield f"## {code}"
    for rule in rules:
        yield ""
        yield f"> {_shown(rule.message, '*{}*')}"
        yield ""
        yield f"- Observed: {rule.evidence}."
        yield f"- Fails: {_when(rule)} ({rule.speed.value}; rule `{rule.id}`)."
        yield f"- What to do: {_shown(rule.suggestion, '*{}*')}"
        yield f"- Takes a version back: {_takes_back(rule)}."
    yield from ("", f"Example, from the {PLACES[given.place]}:", "")
    yield from ("```text", *(line.rstrip() for line in given.shown.splitlines()), "```", "")
    yield f"- What Kubernetes does meanwhile: {given.kubernetes}{source}"
    yield f"- Why Mill waits, or does not: {given.why}"
    yield ""


def _entry(given: Explanation, rules: list[Reason]) -> dict[str, object]:
    return {
        "subject": given.subject,
        "place": PLACES[given.place],
        "example": given.shown,
        "kubernetes": given.kubernetes,
        "source": given.source,
        "why": given.why,
        "causes": [_cause(rule) for rule in rules],
    }


def _cause(rule: Reason) -> dict[str, str]:
    return {
        "message": _shown(rule.message, "<{}>"),
        "seen": rule.evidence,
        "fails": f"{_when(rule)} ({rule.speed.value})",
        "suggestion": _shown(rule.suggestion, "<{}>"),
        "takes_back": _takes_back(rule),
        "rule": rule.id,
    }


def _takes_back(rule: Reason) -> str:
    return "yes" if rule.is_own_fault else "no"


def _when(rule: Reason) -> str:
    if rule.speed is Speed.NO_EVIDENCE:
        return "never by itself; what makes no progress for ten minutes is a `Timeout`"
    seconds = rule.grace.total_seconds()
    return f"after {seconds:g} s" if seconds else "at once"


def _shown(text: str, variable: str) -> str:
    """Return a text with its variables as people write them."""
    shown = re.sub(r"\{(\w+)\}", lambda found: variable.format(found[1]), text)
    return shown.replace("{{", "{").replace("}}", "}")
