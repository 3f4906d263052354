"""Edits that were put back: the rollout's list of them, once a minute of each object, and warnings of autoscalers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mill_api.rollout_results import rollout_results
from mill_api.rollouts import PutBack, Rollout
from mill_api.status import MillDeploymentStatus, StatusWarning
from mill_api.status_reading import read_status
from mill_operator.core import limits, timestamps
from mill_operator.core.observed.edits import DELETED, Edit, EditedObject
from mill_operator.core.rollout.event_messages import event_messages
from mill_operator.core.rollout.put_back import CONFLICT_LASTS, EditReport, merged, report_edits
from mill_operator.core.rollout.start import history
from mill_operator.core.rollout.status_change import StatusChange

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
EMPTY = MillDeploymentStatus(rollout=Rollout(id="3", started_at=timestamps.render(NOW - timedelta(hours=1))))
WEB = EditedObject("Deployment", "web", "web")
SCALED = Edit("replicas 5 → 2", "kubectl-scale")
IMAGE = Edit("image web:2 → web:1 of container web", "kubectl-set")
CONFLICT = (
    "web: an autoscaler changes its number of replicas, and the file sets it: leave `replicas` out of the service, or "
    "delete the autoscaler"
)


def autoscaled(replicas: int, count: int = 1) -> Edit:
    return Edit(f"replicas {replicas} → 2", "kube-controller-manager", is_autoscaled=True, count=count)


class Reports:
    """The status of a MillDeployment, and the edits that wait."""

    def __init__(self) -> None:
        self.last = EditReport(EMPTY, {}, None)
        self.now = NOW
        self.events: list[tuple[str, str, bool]] = []

    def report(self, edit: Edit | None = None, edited: EditedObject = WEB, *, after: float = 0.0) -> EditReport:
        """Let time pass, and report an edit with those that wait."""
        self.now += timedelta(seconds=after)
        new = {} if edit is None else {edited: merged(self.last.waiting.get(edited), edit)}
        before = self.last.status
        self.last = report_edits(before, {**self.last.waiting, **new}, self.now)
        messages = event_messages(StatusChange.between(before, self.last.status))
        self.events = [(each.reason, each.text, each.warning) for each in messages]
        return self.last

    @property
    def listed(self) -> list[tuple[str, int]]:
        rollout = self.last.status.rollout
        assert rollout is not None
        return [(each.change, each.count) for each in rollout.put_back]


@pytest.fixture
def reports() -> Reports:
    return Reports()


def test_an_edit_is_listed_and_reported_once(reports: Reports) -> None:
    reports.report(SCALED)
    assert reports.listed == [(SCALED.change, 1)]
    assert reports.events == [("PutBack", "Deployment web: replicas 5 → 2, by kubectl-scale", False)]
    before = reports.last.status
    assert reports.report(after=30).status == before
    assert reports.report(after=3000) == EditReport(before, {}, None)
    assert reports.events == []


def test_an_edit_by_an_unknown_client(reports: Reports) -> None:
    reports.report(DELETED)
    assert reports.events == [("PutBack", "Deployment web: deleted, made again", False)]


def test_an_object_is_reported_once_a_minute(reports: Reports) -> None:
    reports.report(SCALED)
    for _ in range(3):
        waits = reports.report(SCALED, after=15)
        assert reports.events == []
        assert waits.wake_at == NOW + timedelta(minutes=1)
    reports.report(after=15)
    assert reports.listed == [(SCALED.change, 4)]
    assert reports.events == [("PutBack", "Deployment web: replicas 5 → 2, by kubectl-scale", False)]
    assert reports.last.waiting == {}


def test_another_edit_of_the_object_waits_for_its_minute_as_well(reports: Reports) -> None:
    reports.report(SCALED)
    reports.report(IMAGE, after=10)
    assert reports.listed == [(SCALED.change, 1)]
    reports.report(after=50)
    assert reports.listed == [(SCALED.change, 1), (IMAGE.change, 1)]
    assert [text for _, text, _ in reports.events] == [f"Deployment web: {IMAGE.change}, by kubectl-set"]


def test_other_objects_do_not_wait(reports: Reports) -> None:
    reports.report(SCALED)
    reports.report(SCALED, EditedObject("Deployment", "api", "api"))
    reports.report(Edit("suspend false → true", "lens"), EditedObject("CronJob", "web", None))
    assert len(reports.listed) == 3


def test_many_objects_are_reported_as_the_list_has_room_for_them(reports: Reports) -> None:
    """An entry that is newer than a minute is not dropped: its object would be reported again too soon."""
    edits = {EditedObject("Deployment", f"web-{n}", f"web-{n}"): SCALED for n in range(limits.PUT_BACK_LISTED + 5)}
    first = report_edits(EMPTY, edits, NOW)
    assert first.status.rollout is not None
    assert len(first.status.rollout.put_back) == limits.PUT_BACK_LISTED
    assert list(first.waiting) == list(edits)[-5:]
    assert first.wake_at == NOW + timedelta(minutes=1)
    second = report_edits(first.status, first.waiting, NOW + timedelta(minutes=1))
    assert second.waiting == {}
    assert second.status.rollout is not None
    assert [each.name for each in second.status.rollout.put_back] == [each.name for each in edits][5:]


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=400)])
def test_a_clock_that_was_ahead_silences_nothing(ahead: timedelta) -> None:
    at = timestamps.render(NOW + ahead)
    entry = PutBack(kind="Deployment", name="web", service="web", change="x", autoscaled=True, at=at)
    rollout = Rollout(id="3", started_at=at, put_back=[entry])
    found = report_edits(MillDeploymentStatus(rollout=rollout), {WEB: SCALED}, NOW)
    assert found.waiting == {}
    assert found.status.warnings == []


def test_an_odd_entry_of_another_release_is_left_out(reports: Reports) -> None:
    stored = reports.report(SCALED).status.model_dump(mode="json", by_alias=True)
    (entry,) = stored["rollout"]["putBack"]
    stored["rollout"]["putBack"] = [entry, {}, 5, {**entry, "at": "soon"}, {**entry, "later": 1, "by": None}]
    status = read_status(stored)
    assert status.rollout is not None
    assert [each.by for each in status.rollout.put_back] == ["kubectl-scale", None]


class TestAutoscalers:
    def test_a_conflict_is_a_warning_that_says_what_to_do(self, reports: Reports) -> None:
        reports.report(autoscaled(5))
        assert reports.last.status.warnings == [
            StatusWarning(service="web", code="AutoscalerConflict", message=CONFLICT)
        ]
        ((reason, text, is_warning),) = reports.events
        assert (reason, is_warning) == ("AutoscalerConflict", True)
        assert text.startswith("Deployment web: replicas 5 → 2, by kube-controller-manager: ")
        assert text.endswith("leave `replicas` out of the service, or delete the autoscaler")

    def test_a_fight_is_one_entry_that_counts(self, reports: Reports) -> None:
        events = 0
        for turn in range(41):
            reports.report(autoscaled(5 + turn % 3), after=15 if turn else 0)
            events += len(reports.events)
        assert events == 11, "in ten minutes, of 41 edits"
        assert [count for _, count in reports.listed] == [41]
        assert len(reports.last.status.warnings) == 1

    def test_the_warning_ends_ten_minutes_after_the_last_edit(self, reports: Reports) -> None:
        reports.report(autoscaled(5))
        assert reports.last.wake_at == NOW + CONFLICT_LASTS
        reports.report(after=CONFLICT_LASTS.total_seconds() - 1)
        assert reports.last.status.warnings
        reports.report(after=1)
        assert reports.last == EditReport(reports.last.status, {}, None)
        assert reports.last.status.warnings == []
        assert reports.listed == [("replicas 5 → 2", 1)]

    def test_the_warning_ends_with_the_next_rollout(self, reports: Reports) -> None:
        status = reports.report(autoscaled(5)).status
        next_rollout = Rollout(id="4", started_at=timestamps.render(NOW))
        found = report_edits(status.model_copy(update={"rollout": next_rollout}), {}, NOW)
        assert found.status.warnings == []

    def test_other_warnings_stay(self, reports: Reports) -> None:
        other = StatusWarning(code="NotSettled", message="x")
        status = EMPTY.model_copy(update={"warnings": [other]})
        with_conflict = report_edits(status, {WEB: autoscaled(5)}, NOW).status
        assert [each.code for each in with_conflict.warnings] == ["NotSettled", "AutoscalerConflict"]
        assert report_edits(with_conflict, {}, NOW + timedelta(hours=1)).status.warnings == [other]

    def test_an_edit_by_a_person_is_no_conflict(self, reports: Reports) -> None:
        assert reports.report(SCALED).status.warnings == []


class TestHistory:
    def test_a_past_rollout_keeps_the_newest(self) -> None:
        entries = [
            PutBack(kind="Deployment", name=f"web-{n}", change="x", at=timestamps.render(NOW)) for n in range(10)
        ]
        rollout = EMPTY.rollout
        assert rollout is not None
        status = EMPTY.model_copy(update={"rollout": rollout.model_copy(update={"put_back": entries})})
        (past,) = history(status, "4", NOW)
        assert past.put_back == entries[-limits.PUT_BACK_KEPT :]

    @pytest.mark.parametrize(
        ("reported", "result"),
        [
            (
                lambda reports: [reports.report(SCALED)],
                "in progress; put back: Deployment web: replicas 5 → 2, by kubectl-scale",
            ),
            (
                lambda reports: [reports.report(SCALED, after=60) for _ in range(3)],
                "in progress; put back: Deployment web: replicas 5 → 2, by kubectl-scale (3 times)",
            ),
            (
                lambda reports: [
                    reports.report(edit, after=60) for edit in (SCALED, IMAGE, Edit("strategy"), DELETED)
                ],
                "in progress; put back: Deployment web: deleted, made again; Deployment web: strategy; and 2 more",
            ),
        ],
    )  # fmt: skip
    def test_the_result_for_people(self, reports: Reports, reported: Callable[[Reports], object], result: str) -> None:
        reported(reports)
        (found,) = rollout_results(reports.last.status)
        assert found.result == result
        assert len(found.put_back) == len(reports.listed)
