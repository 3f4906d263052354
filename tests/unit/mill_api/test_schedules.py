"""Schedules: what is one, and when it comes, as Kubernetes reads them."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_api.schedule_rules import schedule_breaches
from mill_api.schedules import MACROS, PATTERN, InvalidSchedule, latest_time, next_time, parse_schedule, zones
from mill_api.spec import Task

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "comes"),
    [
        # The table of robfig/cron (spec_test.go), which Kubernetes uses.
        ("0/15 * * * *", "2012-07-09 15:00", True),
        ("0/15 * * * *", "2012-07-09 15:45", True),
        ("0/15 * * * *", "2012-07-09 15:40", False),
        ("5/15 * * * *", "2012-07-09 15:05", True),
        ("5/15 * * * *", "2012-07-09 15:50", True),
        ("0/15 * * Jul *", "2012-07-15 15:00", True),
        ("0/15 * * Jun *", "2012-07-15 15:00", False),
        ("30 08 ? Jul Sun", "2012-07-15 08:30", True),
        ("30 08 15 Jul ?", "2012-07-15 08:30", True),
        ("30 08 ? Jul Sun", "2012-07-16 08:30", False),
        ("30 08 15 Jul ?", "2012-07-16 08:30", False),
        ("@hourly", "2012-07-09 15:00", True),
        ("@hourly", "2012-07-09 15:04", False),
        ("@daily", "2012-07-09 15:00", False),
        ("@daily", "2012-07-09 00:00", True),
        ("@weekly", "2012-07-09 00:00", False),
        ("@weekly", "2012-07-08 00:00", True),
        ("@monthly", "2012-07-08 00:00", False),
        ("@monthly", "2012-07-01 00:00", True),
        # Both days are restricted: one of them is enough. A `*` with a step restricts, too.
        ("* * 1,15 * Sun", "2012-07-15 00:00", True),
        ("* * 1,15 * Sun", "2012-06-15 00:00", True),
        ("* * 1,15 * Sun", "2012-08-01 00:00", True),
        ("* * */10 * Sun", "2012-07-15 00:00", True),
        # One is a `*`: both must match.
        ("* * * * Mon", "2012-07-15 00:00", False),
        ("* * 1,15 * *", "2012-07-09 00:00", False),
        ("* * 1,15 * *", "2012-07-15 00:00", True),
        ("* * */2 * Sun", "2012-07-15 00:00", True),
    ],
)
def test_a_schedule_comes_when_it_does_in_kubernetes(text: str, at: str, comes: bool) -> None:
    wanted = moment(at)
    found = next_time(parse_schedule(text), None, wanted - timedelta(seconds=1))
    assert (found == wanted) is comes


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0/15 * * * *", "2012-07-09 14:59:59", "2012-07-09 15:00"),
        ("20-35/15 * * * *", "2012-07-09 15:45", "2012-07-09 16:20"),
        ("*/15 * * * *", "2012-07-09 23:46", "2012-07-10 00:00"),
        ("20-35/15 1/2 */2 * *", "2012-07-09 23:35:51", "2012-07-11 01:20"),
        ("0 0 9 Apr-Oct ?", "2012-07-09 23:35", "2012-08-09 00:00"),
        ("0 0 */5 Apr,Aug,Oct Mon", "2012-07-09 23:35", "2012-08-01 00:00"),
        ("0 0 */5 Oct Mon", "2012-07-09 23:35", "2012-10-01 00:00"),
        ("0 0 * Feb Mon", "2012-07-09 23:35", "2013-02-04 00:00"),
        ("0 0 * Feb Mon/2", "2012-07-09 23:35", "2013-02-01 00:00"),
        ("0 0 29 Feb ?", "2012-07-09 23:35", "2016-02-29 00:00"),
        ("0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00"),
    ],
)
def test_the_next_time_is_that_of_kubernetes(text: str, after: str, expected: str) -> None:
    assert next_time(parse_schedule(text), None, moment(after)) == moment(expected)


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        # 02:30 does not exist on the day on which clocks go forward: it is left out.
        ("30 2 11 Mar ?", NEW_YORK, "2012-03-11T00:00:00-05:00", "2013-03-11T02:30:00-04:00"),
        ("30 2 * * *", BERLIN, "2026-03-28T12:00:00+01:00", "2026-03-30T02:30:00+02:00"),
        # Clocks go back: a time that comes twice is twice a time of the schedule.
        ("30 2 04 Nov ?", NEW_YORK, "2012-11-04T00:00:00-04:00", "2012-11-04T02:30:00-05:00"),
        ("30 1 04 Nov ?", NEW_YORK, "2012-11-04T01:45:00-04:00", "2012-11-04T01:30:00-05:00"),
        ("30 2 * * *", BERLIN, "2026-10-24T12:00:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("30 2 * * *", BERLIN, "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
        ("15,45 2 * * *", BERLIN, "2026-10-25T02:45:00+02:00", "2026-10-25T02:15:00+01:00"),
        ("0 3 * * *", BERLIN, "2026-07-01T12:00:00+02:00", "2026-07-02T03:00:00+02:00"),
        ("0 0 * * *", "Pacific/Auckland", "2026-07-01T11:59:00+00:00", "2026-07-02T00:00:00+12:00"),
    ],
)
def test_clocks_that_change(text: str, zone: str, after: str, expected: str) -> None:
    found = next_time(parse_schedule(text), zone, datetime.fromisoformat(after))
    assert found == datetime.fromisoformat(expected)


@given(
    st.integers(1_700_000_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from([BERLIN, None]),
)
def test_between_two_times_there_is_no_other(after: datetime, zone: str | None) -> None:
    schedule = parse_schedule("7,38 */5 * * 1-5")
    found = next_time(schedule, zone, after)
    assert found is not None
    assert found > after
    shown = found.astimezone(ZoneInfo(zone or "UTC"))
    assert (shown.minute in (7, 38), shown.hour % 5, shown.isoweekday() < 6) == (True, 0, True)
    assert latest_time(schedule, zone, found - timedelta(seconds=1), found) == found
    assert latest_time(schedule, zone, after, found - timedelta(microseconds=1)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a schedule has five fields, got 0"),
        ("0 3 * *", "a schedule has five fields, got 4"),
        ("0 0 3 * * *", "a schedule has five fields, got 6"),
        (" 0 3 * * *", "a schedule has five fields"),
        ("60 3 * * *", "the minute of a schedule is from 0 to 59, got '60'"),
        ("0 24 * * *", "the hour of a schedule is from 0 to 23, got '24'"),
        ("0 3 0 * *", "the day of month of a schedule is from 1 to 31, got '0'"),
        ("0 3 * 13 *", "the month of a schedule is from 1 to 12, or JAN to DEC, got '13'"),
        ("0 3 * * 7", "the day of week of a schedule is from 0 to 6, or SUN to SAT, got '7'"),
        ("0 3 * * Monday", "the day of week of a schedule is from 0 to 6, or SUN to SAT, got 'Monday'"),
        ("0 3 L * *", "the day of month of a schedule is from 1 to 31, got 'L'"),
        ("0 5-3 * * *", "the hour of a schedule ends before it begins: '5-3'"),
        ("*/0 * * * *", "the step of the minute of a schedule is from 1 to 99, got '0'"),
        ("*/5/5 * * * *", "the step of the minute of a schedule is from 1 to 99, got '5/5'"),
        ("1,, * * * *", "the minute of a schedule is from 0 to 59, got ''"),
        ("0 0 31 2,4 *", "no month of the schedule has such a day"),
        ("@every 5m", "'@every 5m' is not a schedule"),
        ("@Daily", "'@Daily' is not a schedule"),
        ("TZ=UTC 0 3 * * *", "a schedule has no time zone in it"),
        ("CRON_TZ=UTC 0 3 * * *", "a schedule has no time zone in it"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_field(text: str, message: str) -> None:
    with pytest.raises(InvalidSchedule) as raised:
        parse_schedule(text)
    assert str(raised.value).removesuffix(f", got {len(text.split())}") == message.removesuffix(
        f", got {len(text.split())}"
    )


_ITEM = st.from_regex(r"([*?]|[0-9]{1,2}(-[0-9]{1,2})?|[a-z]{3})(/[0-9]{1,2})?", fullmatch=True)


@given(
    st.one_of(st.lists(_ITEM, min_size=4, max_size=6).map(" ".join), st.sampled_from([*MACROS]), st.text(max_size=20))
)
def test_the_pattern_of_the_schema_accepts_every_schedule(text: str) -> None:
    try:
        parse_schedule(text)
    except InvalidSchedule:
        return
    assert re.fullmatch(PATTERN, text, re.ASCII)


def test_all_time_zones_can_be_used() -> None:
    assert {"UTC", BERLIN, NEW_YORK} <= zones()
    for zone in zones():
        ZoneInfo(zone)


@pytest.mark.parametrize(
    ("fields", "breaches"),
    [
        ({}, []),
        ({"schedule": "@daily", "timezone": BERLIN, "overlap": True, "deadline": "1h"}, []),
        ({"timezone": "UTC"}, [("timezone", "timezone needs a schedule", 'add `schedule = "0 3 * * *"`')]),
        ({"overlap": True}, [("overlap", "overlap needs a schedule", 'add `schedule = "0 3 * * *"`')]),
        ({"deadline": "10s"}, [("deadline", "deadline needs a schedule", 'add `schedule = "0 3 * * *"`')]),
        ({"overlap": False}, []),
        (
            {"schedule": "@daily", "timezone": "berlin"},
            [("timezone", "unknown time zone 'berlin'", "did you mean `Europe/Berlin`?")],
        ),
        (
            {"schedule": "@daily", "timezone": "America/NewYork"},
            [("timezone", "unknown time zone 'America/NewYork'", "did you mean `America/New_York`?")],
        ),
        (
            {"schedule": "@daily", "timezone": "Local"},
            [("timezone", "unknown time zone 'Local'", 'write its name, such as timezone = "Europe/Berlin"')],
        ),
        (
            {"schedule": "@daily", "deadline": "9s"},
            [
                (
                    "deadline",
                    "deadline must be from 10s to 24h, got '9s'",
                    'write how late a run may start, such as deadline = "1h"',
                )
            ],
        ),
        (
            {"schedule": "0 0 * * 7"},
            [
                (
                    "schedule",
                    "the day of week of a schedule is from 0 to 6, or SUN to SAT, got '7'",
                    "write 0 or SUN for Sunday",
                )
            ],
        ),
    ],
)
def test_the_rules_of_a_task_on_a_schedule(fields: dict[str, object], breaches: list[tuple[str, str, str]]) -> None:
    task = Task.model_construct(name="report", image="web:1", **fields)
    assert [(each.path, each.message, each.help) for each in schedule_breaches(task)] == breaches
