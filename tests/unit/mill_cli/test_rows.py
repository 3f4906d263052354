"""Where each service of a rollout stands, from its events and the status."""

from typing import Any

import pytest

from mill_cli.output.rows import Row, Rows, count


def told(*events: tuple[str, dict[str, Any]]) -> Row:
    """Return a row that has been told this, a second apart."""
    row = Row("web", 0.0)
    for now, (name, data) in enumerate(events):
        row.apply(name, data, float(now))
    return row


def progress(phase: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "progress", {"service": "web", "phase": phase, **more}


FAILED = ("failed", {"service": "web", "reason": "tag\nnot\x1b found", "suggestion": "Push it.", "code": "TagNotFound"})


@pytest.mark.parametrize(
    ("events", "kind", "text"),
    [
        ([], "waiting", "waiting"),
        ([progress("pulling")], "starting", "pulling the image"),
        ([progress("starting")], "starting", "starting"),
        ([progress("scheduled", node="node-1")], "starting", "scheduled on node-1"),
        ([progress("scheduled")], "starting", "scheduled on unknown"),
        ([progress("blessed\x07")], "starting", "blessed�"),
        ([progress("suspect", message="not ready: HTTP 500")], "suspect", "not ready: HTTP 500"),
        ([progress("suspect")], "suspect", "suspect"),
        ([progress("suspect"), progress("starting")], "starting", "starting"),
        ([progress("healthy")], "settling", "healthy"),
        ([progress("healthy"), progress("settled")], "healthy", "healthy"),
        ([progress("healthy"), progress("suspect", message="crashed")], "suspect", "crashed"),
        ([progress("waiting", message="waiting for db")], "waiting", "waiting for db"),
        ([progress("stopped")], "stopped", "stopped"),
        ([FAILED], "failed", "tag not� found"),
        ([FAILED, progress("healthy")], "settling", "healthy"),
        ([("progress", {"service": "web"})], "waiting", "waiting"),
    ],
)
def test_a_row_follows_the_events_of_its_service(
    events: list[tuple[str, dict[str, Any]]], kind: str, text: str
) -> None:
    row = told(*events)
    assert (row.kind, row.text) == (kind, text)
    is_judged = kind in ("healthy", "stopped", "failed")
    assert (row.judged, row.until) == ((True, len(events) - 1.0) if is_judged else (False, None))


def test_a_starting_service_shows_what_its_health_checks_report() -> None:
    row = told(progress("starting"))
    starting = {"state": "Starting", "replicas": {"desired": 1}}
    shown = []
    for found in ("HTTP\n503\x1b", None, 5, "x" * 400):
        row.observe(starting | {"healthCheck": found}, 1.0, None)
        shown.append(row.text)
    cut = "x" * 297 + "..."
    prefix = "not ready: health check: "
    assert shown == [f"{prefix}HTTP 503\N{REPLACEMENT CHARACTER}", "starting", "starting", prefix + cut]
    row.observe(starting | {"state": "Healthy", "healthCheck": "HTTP 503"}, 2.0, None)
    assert (row.kind, row.text) == ("starting", "starting")
    row.observe(starting | {"healthCheck": "HTTP 503"}, 3.0, None)
    row.apply(*progress("healthy"), 4.0)
    assert (row.kind, row.text) == ("healthy", "healthy")


@pytest.mark.parametrize(
    ("events", "elapsed"),
    [
        ([progress("healthy", elapsed=3.9)], 3.9),
        ([progress("healthy", elapsed=3.9), progress("settled", elapsed=13.9)], 3.9),
        ([progress("healthy", elapsed=3.9), progress("suspect"), progress("healthy", elapsed=8)], 8.0),
        ([progress("stopped", elapsed=1.2)], 1.2),
        ([progress("healthy")], None),
        ([progress("healthy", elapsed="soon")], None),
    ],
)
def test_the_time_of_a_service_is_when_it_became_healthy(
    events: list[tuple[str, dict[str, Any]]], elapsed: float | None
) -> None:
    assert told(*events).elapsed == elapsed


def test_the_end_of_a_rollout_does_not_wait_for_windows() -> None:
    rows = Rows(["web", "api", "old"])
    rows.apply(*progress("healthy"), 1.0)
    rows.apply("progress", {"service": "api", "phase": "starting"}, 1.0)
    assert count(rows.shown) == {"settling": 1, "starting": 1}
    rows.finish(4.0)
    assert [(row.kind, row.until) for row in rows.shown] == [("healthy", 4.0), ("starting", None)]


def status(name: str, healthy: int, desired: int, state: str = "Progressing") -> dict[str, Any]:
    return {"name": name, "state": state, "replicas": {"healthy": healthy, "desired": desired}}


def test_a_suspicion_has_its_detail_once_a_status_has_it() -> None:
    rows = Rows(["web"])
    rows.apply(*progress("suspect", message="no nodes available: insufficient memory"), 0.0)
    suspect = {"message": "no nodes available: insufficient memory", "detail": "largest node: 23.4 GiB"}
    rows.observe([status("web", 0, 1, "Suspect") | suspect], 1.0)
    (row,) = rows.shown
    assert row.text == "no nodes available: insufficient memory (largest node: 23.4 GiB)"
    rows.apply(*progress("starting"), 2.0)
    rows.observe([status("web", 0, 1, "Suspect") | suspect], 3.0)  # of another replica of the gateway, and older
    assert (row.kind, row.text) == ("starting", "starting")


def names(rows: list[Row]) -> list[str]:
    return [each.name for each in rows]


def test_rows_are_in_the_order_of_the_file() -> None:
    rows = Rows(["web", "api", "broken"])
    rows.apply("progress", {"service": "old", "phase": "stopped"}, 1.0)
    rows.apply("failed", {"service": "broken", "reason": "crashed"}, 1.0)
    rows.apply("progress", {"service": "web", "phase": "starting"}, 2.0)
    assert names(rows.shown) == ["web", "broken", "old"]


def test_a_service_that_is_healthy_as_it_was_has_no_row() -> None:
    rows = Rows(["web", "api", "db"])
    rows.apply("progress", {"service": "api", "phase": "healthy"}, 1.0)
    rows.apply("progress", {"service": "web", "phase": "settled"}, 1.5)
    rows.observe([status("web", 2, 2, "Healthy"), status("api", 0, 3), status("db", 0, 1, "Pending")], 2.0)
    assert names(rows.shown) == ["api", "db"]


def test_replicas_are_counted_until_there_is_a_verdict() -> None:
    rows = Rows(["web"])
    rows.apply("progress", {"service": "web", "phase": "scheduled", "node": "n"}, 0.0)
    (row,) = rows.shown
    assert (row.healthy, row.desired) == (0, None)
    rows.observe([status("web", 1, 3), status("other", 5, 5), {"name": None}], 1.0)
    assert (row.healthy, row.desired, names(rows.shown)) == (1, 3, ["web"])
    rows.apply("progress", {"service": "web", "phase": "healthy"}, 2.0)
    rows.observe([status("web", 2, 3)], 3.0)  # read before the verdict was
    assert (row.healthy, row.desired) == (3, 3)


def test_events_without_a_service() -> None:
    rows = Rows(["web"])
    assert rows.apply("failed", {"reason": "superseded"}, 0.0) == "failed: superseded"
    assert rows.apply("progress", {"phase": "started"}, 0.0) is None
    assert rows.shown == []


def window(state: str = "Healthy", healthy: int = 2, **more: Any) -> dict[str, Any]:
    """Return the status of a service of a release that knows windows."""
    return status("web", healthy, 2, state) | {"settle": 10.0, **more}


SINCE = "2026-01-31T12:00:00.000Z"
SECOND = 1769860800.0
"""The same, in seconds since 1970."""


def test_a_healthy_service_counts_its_window_down() -> None:
    rows = Rows(["web"])
    rows.observe([window("Starting", 1)], 4.0, SECOND - 1)
    rows.apply("progress", {"service": "web", "phase": "healthy"}, 5.0)
    (row,) = rows.shown
    assert (row.text_at(5.0), row.healthy, row.judged) == ("healthy, settling", 2, False)
    rows.observe([window(settlingSince=SINCE)], 6.0, SECOND + 1.0)
    assert [row.text_at(at) for at in (6.0, 8.5, 14.9)] == [f"healthy, settles in {left}s" for left in (9, 7, 1)]
    assert (row.text_at(15.0), row.kind) == ("healthy, settling", "settling")  # until the operator says so
    rows.apply("progress", {"service": "web", "phase": "settled"}, 15.4)
    assert (row.text_at(16.0), row.until, row.kind) == ("healthy", 15.4, "healthy")


def test_a_window_that_begins_again_is_counted_from_its_beginning() -> None:
    rows = Rows(["web"])
    rows.apply("progress", {"service": "web", "phase": "healthy"}, 0.0)
    rows.observe([window(settlingSince=SINCE)], 0.0, SECOND)
    (row,) = rows.shown
    rows.observe([window("Suspect", 1, message="container exited with code 1")], 4.0, SECOND + 4)
    assert (row.kind, row.text_at(4.0), row.healthy) == ("suspect", "container exited with code 1", 1)
    rows.observe([window(settlingSince="2026-01-31T12:00:06.000Z")], 7.0, SECOND + 7)
    assert (row.kind, row.text_at(7.0)) == ("settling", "healthy, settles in 9s")
    rows.apply("failed", {"service": "web", "reason": "container exited with code 1"}, 9.0)
    rows.observe([window(settlingSince=SINCE)], 9.1, SECOND + 9)
    assert (row.kind, row.text) == ("failed", "container exited with code 1")


@pytest.mark.parametrize(("wall", "left"), [(SECOND + 4, 6), (SECOND - 3600, 10), (SECOND + 3600, 0), (None, 10)])
def test_a_window_of_another_clock_is_counted_within_its_length(wall: float | None, left: int) -> None:
    rows = Rows(["web"])
    rows.observe([window(settlingSince=SINCE)], 0.0, wall)  # `mill watch` may read it before the events
    rows.apply("progress", {"service": "web", "phase": "healthy"}, 0.0)
    (row,) = rows.shown
    assert row.text_at(0.0) == (f"healthy, settles in {left}s" if left else "healthy, settling")


@pytest.mark.parametrize("settle", [None, 0, 0.0, -1, "10s", float("inf"), float("nan")])
def test_without_a_window_a_healthy_service_has_settled(settle: Any) -> None:
    rows = Rows(["web"])
    rows.apply("progress", {"service": "web", "phase": "healthy"}, 1.0)
    (row,) = rows.shown
    assert row.kind == "settling"
    rows.observe([window(settle=settle)], 2.0)
    assert (row.kind, row.until) == ("healthy", 2.0)
