"""What is said of each failure code: every code has it, and each example, judged by the table, gives its code."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

import mill_operator
from mill_api.service_status import State
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.tasks.run_rules import RUN_TABLE
from mill_operator.core.verdicts.findings import Finding, find
from mill_operator.core.verdicts.rule import Reason
from mill_operator.core.verdicts.rule_input import CreationSubject, Problem, ProblemKind
from mill_operator.explanations import EXPLANATIONS, PLACES, SUBJECTS, Explanation
from mill_operator.failure_codes import REASONS, to_markdown
from tests.support import runs
from tests.support.outside_cases import observe
from tests.support.recordings import UID, WEB, at, body, changed, look, node, pod, said

HOUR: Final = 3600.0
FAR: Final = 2 * HOUR


def test_every_code_has_an_explanation_and_every_explanation_a_code() -> None:
    assert set(EXPLANATIONS) == {rule.code for rule in REASONS}


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_an_explanation_has_all_of_its_parts(code: str) -> None:
    given = EXPLANATIONS[code]
    assert given.subject in SUBJECTS
    assert given.place in PLACES
    assert given.shown
    assert given.kubernetes.endswith(".")
    assert given.source.startswith("https://") or given.kubernetes.startswith("Nothing: ")
    assert given.why.endswith(".")
    assert not re.search(r"\d", given.why), "times of Mill come from the rules"


def test_an_example_names_no_real_host() -> None:
    for code, given in EXPLANATIONS.items():
        assert not re.search(r"127\.0\.0\.1|localhost|docker\.io|quay\.io|gcr\.io", given.example), code


def _reported(given: Explanation) -> Finding | None:
    return observe({"where": given.place, "kubernetes_reason": given.reason, "text": given.example}).finding


def _ended(given: Explanation) -> Finding | None:
    ended = {"exitCode": given.exit_code, "reason": given.reason}
    if given.reason == "StartError":
        ended["startedAt"] = "1970-01-01T00:00:00Z"
    return observe({"where": given.place, "text": given.example, "ended": ended, "twice": given.twice}).finding


def _events(given: Explanation) -> LookupResults:
    return LookupResults(events={UID: (ObservedEvent(given.reason, given.example),)})


def _beside_a_pull(given: Explanation) -> Finding | None:
    return look(pod("unauthorized"), answers=said((given.reason, given.example))).finding


def _kill(given: Explanation) -> Finding | None:
    end = Termination(137, "Error", "", at(0), at(30))
    made = changed(pod("crashed-twice"), ended=end, last_ended=end, restarts=1)
    live = replace(WEB, request=replace(WEB.request, least_live_time=timedelta(seconds=20)))
    killed = LookupResults(events={UID: (ObservedEvent(given.reason, given.example, "web", at(29)),)})
    return look(made, at=31, wanted=live, answers=killed).finding


def _pulling(given: Explanation) -> Finding | None:
    return look(pod("pulling", sandbox_ready=True, bound_at=at(0)), at=FAR, answers=_events(given)).finding


def _probe(given: Explanation) -> Finding | None:
    return look(pod("unready"), at=HOUR, answers=_events(given)).finding


def _readiness_gate(given: Explanation) -> Finding | None:
    (condition,) = (each for each in body("readiness-gate")["status"]["conditions"] if each["status"] == "False")
    assert (condition["reason"], condition["message"]) == (given.reason, given.example)
    return look(pod("readiness-gate"), at=HOUR).finding


def _write(given: Explanation) -> Finding | None:
    kinds: dict[str, ProblemKind] = {
        "write refused": "refused",
        "write taken": "taken",
        "write host": "host",
        "write route": "route",
        "write internal": "internal",
    }
    return look(problem=Problem(kinds[given.place], given.example)).finding


def _node(_given: Explanation) -> Finding | None:
    return look(pod("pulling"), at=HOUR, answers=node("Unknown")).finding


def _job(given: Explanation) -> Finding | None:
    job = runs.job(("Failed", given.reason, 30))
    assert job.failure is not None
    assert job.failure.message == given.example
    found = find("web", [CreationSubject(request=WEB.request, refusal="", job=job)], None, at(40), RUN_TABLE)
    return found[0]


JUDGES: Final[Mapping[str, Callable[[Explanation], Finding | None]]] = {
    "terminated.message": _ended,
    "event beside a pull": _beside_a_pull,
    "event of a kill": _kill,
    "pulling": _pulling,
    "probe": _probe,
    "readiness gate": _readiness_gate,
    "write refused": _write,
    "write taken": _write,
    "write host": _write,
    "write route": _write,
    "write internal": _write,
    "node": _node,
    "job": _job,
}


@pytest.mark.parametrize("code", [code for code, given in EXPLANATIONS.items() if given.place != "mill"])
def test_an_example_is_judged_with_its_code(code: str) -> None:
    given = EXPLANATIONS[code]
    finding = JUDGES.get(given.place, _reported)(given)
    assert finding is not None
    assert finding.rule.code == code


@pytest.mark.parametrize("rule", [rule for rule in REASONS if EXPLANATIONS[rule.code].place == "mill"])
def test_an_example_of_mill_itself_is_the_message_of_its_rule(rule: Reason) -> None:
    pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(rule.message))
    assert re.fullmatch(pattern, EXPLANATIONS[rule.code].example)


def test_the_example_of_a_node_is_suspected_before_kubernetes_replaces_its_pods() -> None:
    seen = look(pod("pulling"), at=300, answers=node("Unknown"))
    assert seen.state is State.SUSPECT


def test_every_source_and_subject_is_used() -> None:
    assert {given.subject for given in EXPLANATIONS.values()} == set(SUBJECTS)
    assert {given.place for given in EXPLANATIONS.values()} == set(PLACES)


def test_the_page_shows_all_parts() -> None:
    page = to_markdown()
    for code, given in EXPLANATIONS.items():
        section = page.split(f"\n## {code}\n")[1].split("\n## ")[0]
        for part in (*given.shown.splitlines(), given.kubernetes, given.why, given.source):
            assert part.rstrip() in section


def test_the_operator_does_not_read_explanations() -> None:
    """They would stay in its memory."""
    readers = {
        path.name
        for path in Path(mill_operator.__file__).parent.rglob("*.py")
        if re.search(r"mill_operator(?:\.| import )(?:explanations|failure_codes)\b", path.read_text())
    }
    assert readers == {"failure_codes.py"}
