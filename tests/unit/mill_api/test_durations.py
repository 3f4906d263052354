"""Durations of resources: every form of Go, within the range of times."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_api.durations import LONGEST, is_too_long, normalize_duration, parse_duration, to_timedelta
from mill_api.fields import Duration
from mill_api.manifests import deadline
from mill_api.spec import MillDeploymentSpec
from mill_api.validation import problems
from mill_language import render

PATTERN: str = Duration.__metadata__[0].metadata[1].pattern  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("10s", 10),
        ("1h30m", 5400),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("1.s", 1),
        ("-1.5h", -5400),
        ("+1h", 3600),
        ("250ms", 0.25),
        ("3us", 3e-6),
        ("3µs", 3e-6),
        ("3μs", 3e-6),
        ("1500ns", 2e-6),
        ("2h3m4s5ms", 7384.005),
        ("876600h", LONGEST.total_seconds()),
        ("876600h0.0000005s", LONGEST.total_seconds()),
        ("99999999999h", LONGEST.total_seconds()),
        ("9" * 31 + "h", LONGEST.total_seconds()),
        ("-" + "9" * 31 + "h", -LONGEST.total_seconds()),
        ("0." + "9" * 28 + "s", 1),
    ],
)
def test_every_form_of_go_is_read(text: str, seconds: float) -> None:
    assert to_timedelta(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "h", "s", "1", "1d", ".s", "1h ", "-", "--1h", "1h1", "1e3s"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        to_timedelta(text)


@given(st.from_regex(PATTERN, fullmatch=True).filter(lambda text: len(text) <= 32))
def test_every_duration_that_the_schema_accepts_can_be_added_to_a_time(text: str) -> None:
    assert timedelta(0) <= to_timedelta(text) <= LONGEST
    assert 0 <= deadline(text) <= LONGEST.total_seconds()
    assert datetime(2026, 1, 31, tzinfo=UTC) + to_timedelta(text)


def test_files_and_resources_have_the_same_longest_duration() -> None:
    assert to_timedelta(parse_duration("100 years")) == LONGEST
    assert not is_too_long(parse_duration("100 years"))
    assert is_too_long("876600h1ms")
    assert normalize_duration("9" * 31 + "h") == parse_duration("100 years")


def test_a_longer_one_is_refused_with_its_place_and_can_still_be_rendered() -> None:
    spec = MillDeploymentSpec.model_validate(
        {
            "services": [
                {"name": "web", "image": "web:1", "port": 80, "health": {"path": "/", "interval": "876601h"}},
                {"name": "api", "image": "api:1", "port": 80, "health": {"path": "/", "interval": "876600h"}},
            ],
            "tasks": [{"name": "migrate", "image": "web:1", "timeout": "99999999999h"}],
        }
    )
    assert [str(each) for each in problems(spec)] == [
        "service.web.health.interval: invalid duration '876601h': longer than 100 years",
        "task.migrate.timeout: invalid duration '99999999999h': longer than 100 years",
    ]
    assert "876600h" in render(spec)


def test_fractions_of_a_nanosecond_are_cut_off_as_in_go() -> None:
    assert normalize_duration("1.0000000000009s") == "1s"
    assert normalize_duration("1.5ms") == "1.5ms"
