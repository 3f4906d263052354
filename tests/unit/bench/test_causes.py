"""The table of causes that are measured, and the table that is written of them."""

import re

import pytest

from mill_operator.core.tasks.run_rules import RUN_TABLE
from tests.bench.causes.cause import Cause, pod_is_in_trouble, web
from tests.bench.causes.observing import Measured
from tests.bench.causes.section import section
from tests.bench.causes.table import CAUSES, SPACES

TAG = Cause("tag", "tag missing", "TagNotFound", web())


def _measured(applied: float, shown: float | None, judged: float | None, code: str, rule: str = "") -> Measured:
    return Measured(TAG, applied, shown, judged, code, rule)


def test_the_times_of_a_cause_are_from_apply_and_from_evidence_to_the_verdict() -> None:
    found = [_measured(10, 12, 12.5, "TagNotFound", "image-missing"), _measured(20, 21, 23, "TagNotFound")]
    (row,) = section([TAG], found, "Today.").rows
    assert row == ["tag missing", "`TagNotFound`", "2 of 2", "none", "2.5", "3.0", "0.5", "2.0"]


def test_wrong_codes_and_missing_verdicts_are_shown() -> None:
    found = [
        _measured(0, 1, 4, "ImagePullFailed", "image-pull"),
        _measured(0, None, 2, "TagNotFound", "image-missing"),
        _measured(0, 1, None, ""),
    ]
    (row,) = section([TAG], found, "Today.").rows
    assert row == ["tag missing", "`ImagePullFailed`, `TagNotFound`", "1 of 3", "-", "2.0", "4.0", "3.0", "3.0"]


def test_what_was_not_measured_has_no_figures() -> None:
    (row,) = section([TAG], [], "Today.").rows
    assert row == ["tag missing", *["-"] * 7]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda each: each.name)
def test_a_cause_has_a_code_of_the_rules_and_a_name_that_objects_can_begin_with(cause: Cause) -> None:
    assert cause.code in {rule.code for rule in RUN_TABLE}
    assert cause.space in SPACES
    assert re.fullmatch(r"[a-z]([a-z-]*[a-z])?", cause.name)


def test_no_two_causes_have_one_name() -> None:
    assert len({each.name for each in CAUSES}) == len({each.title for each in CAUSES}) == len(CAUSES)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"state": {"waiting": {"reason": "ContainerCreating"}}}, False),
        ({"state": {"waiting": {"reason": "ErrImagePull"}}}, True),
        ({"state": {"running": {}}}, False),
        ({"state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1}}}, True),
        ({"state": {"terminated": {"exitCode": 0}}}, True),
        ({}, False),
    ],
)
def test_a_pod_is_in_trouble_when_a_container_waits_for_more_than_its_creation(
    state: dict[str, object], expected: bool
) -> None:
    assert pod_is_in_trouble({"kind": "Pod", "status": {"containerStatuses": [state]}}) is expected
