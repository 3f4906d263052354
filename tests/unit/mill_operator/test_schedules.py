"""When runs on a schedule start: the next one, the last one, and what was missed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mill_api.status import MillDeploymentStatus
from mill_api.task_status import TaskStatus
from mill_operator.core.observed.children import project_child
from mill_operator.core.observed.schedules import ObservedSchedule
from mill_operator.core.rollout.event_messages import event_messages
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.core.tasks.schedules import observe_schedule
from mill_operator.core.tasks.status import observe

DEADLINE = timedelta(minutes=10)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-07-01T{text}").replace(tzinfo=UTC)


def hourly(last: str | None, text: str = "0 * * * *") -> ObservedSchedule:
    return ObservedSchedule(text, None, DEADLINE, at(last) if last else None)


@pytest.mark.parametrize(
    ("before", "last", "now", "next_run", "missed"),
    [
        (None, None, "12:30", "13:00", None),
        ("13:00", None, "12:31", "13:00", None),
        # It is due, until it has started or its deadline is over, with a minute for clocks.
        ("13:00", "12:00", "13:00:01", "13:00", None),
        ("13:00", "12:00", "13:10:59", "13:00", None),
        ("13:00", "13:00", "13:00:02", "14:00", None),
        ("13:00", "12:00", "13:11", "14:00", "13:00"),
        ("13:00", None, "13:11", "14:00", "13:00"),
        # A later run was started instead, and the operator has seen that.
        ("13:00", "14:00", "13:10", "14:00", "13:00"),
        # The operator was away: the run of 13:00 may have been started.
        ("13:00", "16:00", "16:30", "17:00", None),
        ("13:00", "12:00", "16:30", "17:00", "13:00"),
        # Another schedule does not have this time.
        ("13:07", "12:00", "13:30", "14:00", None),
    ],
)
def test_what_becomes_of_a_time(
    before: str | None, last: str | None, now: str, next_run: str, missed: str | None
) -> None:
    known = TaskStatus(name="report", next_run=f"2026-07-01T{before}:00.000Z") if before else None
    found = observe_schedule(hourly(last), known, at(now))
    assert (found.next_run, found.missed_run) == (at(next_run), at(missed) if missed else None)
    assert found.last_run == (at(last) if last else None)
    assert found.wake_at(hourly(last)) == at(next_run) + timedelta(minutes=11)


def test_a_missed_run_stays_in_the_status() -> None:
    before = TaskStatus(name="report", next_run="2026-07-01T14:00:00.000Z", missed_run="2026-07-01T13:00:00.000Z")
    assert observe_schedule(hourly("14:00"), before, at("14:01")).missed_run == at("13:00")


CRON_JOB: dict[str, Any] = {
    "metadata": {
        "name": "report",
        "namespace": "shop",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2026-07-01T00:00:00Z",
    },
    "spec": {"schedule": "0 3 * * *", "timeZone": "Europe/Berlin", "suspend": False, "startingDeadlineSeconds": 600},
    "status": {"lastScheduleTime": "2026-07-01T01:00:00Z"},
}


def project(**spec: Any) -> ObservedSchedule | None:
    return project_child("CronJob", {**CRON_JOB, "spec": CRON_JOB["spec"] | spec}).schedule


def test_a_cron_job_says_when_its_runs_start() -> None:
    assert project() == ObservedSchedule("0 3 * * *", "Europe/Berlin", timedelta(minutes=10), at("01:00"))


@pytest.mark.parametrize(
    "spec",
    [
        {"suspend": True},
        {"schedule": "0 0 31 2 *"},
        {"schedule": "0 3 * * *" * 1000},
        {"schedule": None},
        {"timeZone": "../etc/passwd"},
        {"startingDeadlineSeconds": None},
        {"startingDeadlineSeconds": 2**62},
        {"startingDeadlineSeconds": -1},
    ],
)
def test_a_schedule_that_no_task_can_have_is_none(spec: dict[str, Any]) -> None:
    assert project(**spec) is None


def test_the_status_has_tasks_that_have_not_run_yet() -> None:
    seen = observe([], (), [], problems={}, schedules={"report": hourly(None)}, now=at("12:30"))
    assert seen.tasks == [TaskStatus(name="report", next_run="2026-07-01T13:00:00.000Z")]
    assert seen.wake_at == at("13:11")
    again = observe([], (), seen.tasks, problems={}, schedules={"report": hourly(None)}, now=at("12:59:59"))
    assert again.tasks == seen.tasks


def test_a_missed_run_is_reported_once() -> None:
    before = MillDeploymentStatus(tasks=[TaskStatus(name="report", next_run="2026-07-01T13:00:00.000Z")])
    seen = observe([], (), before.tasks, problems={}, schedules={"report": hourly(None)}, now=at("13:11"))
    after = MillDeploymentStatus(tasks=seen.tasks)
    (message,) = event_messages(StatusChange.between(before, after))
    assert (message.reason, message.warning) == ("RunMissed", True)
    assert message.text.startswith("no run of task report was started for 2026-07-01T13:00:00.000Z: ")
    later = observe([], (), seen.tasks, problems={}, schedules={"report": hourly(None)}, now=at("13:12"))
    assert event_messages(StatusChange.between(after, MillDeploymentStatus(tasks=later.tasks))) == []
