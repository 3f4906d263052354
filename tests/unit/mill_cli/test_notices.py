"""What standard error reports, and when: suspicions that last, failures that are held, and what matters of each."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mill_cli.output.notices import HELD_SECONDS, SUSPICION_SECONDS, Notices

WALL = 1_800_000_000.0
"""The gateway's time at the moment 0, which this machine's clock does not know."""
NO_MEMORY = "no nodes available: insufficient memory"
SUSPECT = {"service": "web", "phase": "suspect", "message": NO_MEMORY}
FAILED = {"service": "broken", "reason": "image pull failed: tag not found"}
IMAGE = {**FAILED, "detail": "image registry.example/web:9", "evidence": "manifest unknown"}


def due_at(moment: float) -> str:
    """Return the time of a status by the gateway's clock."""
    seconds = int(moment)
    return f"2027-01-15T08:{seconds // 60:02}:{seconds % 60:02}.000Z"


def web(message: str = NO_MEMORY, state: str = "Suspect", **more: Any) -> list[dict[str, Any]]:
    return [{"name": "web", "state": state, "message": message, **more}]


@dataclass
class Log:
    """Virtual time: what is printed at which moment, by a loop that waits for events and for `due`."""

    notices: Notices = field(default_factory=lambda: Notices(3))
    held: set[str] = field(default_factory=set)
    now: float = 0.0
    printed: list[tuple[float, str]] = field(default_factory=list)

    def until(self, moment: float) -> None:
        while (due := self.notices.due) is not None and due <= moment:
            assert due >= self.now or self._print(), "a moment that has passed is due for ever"
            self.now = max(self.now, due)
            self._print()
        self.now = moment

    def event(self, moment: float, name: str, data: dict[str, Any]) -> None:
        self.until(moment)
        self.notices.apply(name, data, moment)
        self._print()

    def status(self, moment: float, services: list[Any], ahead: float | None = 0.0) -> None:
        self.until(moment)
        self.notices.observe(services, moment, None if ahead is None else WALL + moment + ahead)
        self._print()

    def _print(self) -> bool:
        lines = self.notices.lines(self.now, self.held.__contains__)
        self.printed += [(self.now, each.strip()) for each in lines]
        return bool(lines)


def test_a_suspicion_is_reported_after_five_seconds_and_until_when() -> None:
    log = Log()
    log.event(1.0, "progress", SUSPECT)
    log.status(2.0, web(detail="largest node: 23.4 GiB", dueAt=due_at(121.0)))
    log.status(4.0, web(detail="largest node: 23.4 GiB", dueAt=due_at(121.0)))
    log.until(100.0)
    assert log.printed == [(6.0, f"web: waiting: {NO_MEMORY} (largest node: 23.4 GiB; fails in 115s)")]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, ""),
        ({"dueAt": due_at(121.0)}, " (fails in 115s)"),
        ({"detail": "largest node: 23.4 GiB"}, " (largest node: 23.4 GiB)"),
        ({"dueAt": due_at(426.0)}, " (fails in 7m00s)"),
        ({"dueAt": due_at(3.0)}, ""),
        ({"dueAt": "soon", "detail": 5}, ""),
        ({"dueAt": None, "detail": None}, ""),
        ({"detail": "a\x1b[31m\nb"}, " (a\N{REPLACEMENT CHARACTER}[31m b)"),
    ],
)
def test_what_the_status_does_not_have_is_left_out(more: dict[str, Any], text: str) -> None:
    log = Log()
    log.event(1.0, "progress", SUSPECT)
    log.status(2.0, [None, "web", {"name": 5}, *web(**more)])
    log.until(10.0)
    assert log.printed == [(6.0, f"web: waiting: {NO_MEMORY}{text}")]


def test_without_a_status_the_event_is_reported() -> None:
    log = Log()
    log.event(1.0, "progress", SUSPECT)
    log.until(10.0)
    assert log.printed == [(6.0, f"web: waiting: {NO_MEMORY}")]


def test_the_time_that_is_left_is_by_the_gateways_clock() -> None:
    log = Log()
    log.event(1.0, "progress", SUSPECT)
    log.status(2.0, web(dueAt=due_at(121.0)), ahead=60.0)
    log.until(10.0)
    assert log.printed == [(6.0, f"web: waiting: {NO_MEMORY} (fails in 55s)")]
    log = Log()
    log.event(1.0, "progress", SUSPECT)
    log.status(2.0, web(dueAt=due_at(121.0)), ahead=None)
    log.until(10.0)
    assert log.printed == [(6.0, f"web: waiting: {NO_MEMORY}")]


@pytest.mark.parametrize("phase", ["pulling", "waiting", "healthy", "settled", "stopped"])
def test_what_is_over_within_five_seconds_is_not_reported(phase: str) -> None:
    log = Log()
    log.event(1.0, "progress", SUSPECT)
    log.event(5.9, "progress", {"service": "web", "phase": phase})
    log.until(100.0)
    assert (log.printed, log.notices.needs_status(log.now)) == ([], False)


def test_a_pod_that_gets_a_node_does_not_end_what_is_wrong_with_another() -> None:
    log = Log()
    log.event(1.0, "progress", SUSPECT)
    log.event(2.0, "progress", {"service": "web", "phase": "scheduled", "node": "node-1"})
    log.until(100.0)
    assert [moment for moment, _ in log.printed] == [6.0]


def test_only_another_cause_is_reported_again() -> None:
    log = Log()
    log.event(0.0, "progress", SUSPECT)
    for moment in range(1, 20):
        log.status(moment, web())
    for moment in range(20, 40):
        log.status(moment, web("no nodes available: cordoned"))
    for moment in range(40, 60):
        log.status(moment, web())
    assert log.printed == [
        (5.0, f"web: waiting: {NO_MEMORY}"),
        (25.0, "web: waiting: no nodes available: cordoned"),
    ]


def test_causes_that_take_turns_do_not_fill_the_log() -> None:
    log = Log()
    log.event(0.0, "progress", SUSPECT)
    for moment in range(1, 100):
        log.status(moment, web("cordoned" if moment % 2 else NO_MEMORY))
    assert log.printed == [(5.0, f"web: waiting: {NO_MEMORY}")]


def test_the_same_cause_after_a_recovery_is_reported_again() -> None:
    log = Log()
    for moment in (0.0, 20.0):
        log.event(moment, "progress", SUSPECT)
        log.event(moment + 10.0, "progress", {"service": "web", "phase": "healthy"})
    assert [moment for moment, _ in log.printed] == [5.0, 25.0]


def test_what_the_status_has_no_longer_is_not_reported_until_it_has_it_again() -> None:
    log = Log()
    log.event(0.0, "progress", SUSPECT)
    log.status(4.0, web(state="Starting", message=""))
    log.until(20.0)
    assert (log.printed, log.notices.due, log.notices.needs_status(log.now)) == ([], None, True)
    log.status(20.0, web())
    log.until(40.0)
    assert log.printed == [(25.0, f"web: waiting: {NO_MEMORY}")]


def test_a_suspicion_without_a_message_is_reported_once_there_is_one() -> None:
    log = Log()
    log.event(0.0, "progress", {"service": "web", "phase": "suspect"})
    log.until(10.0)
    assert (log.printed, log.notices.due) == ([], None)
    log.status(10.0, web())
    assert log.printed == [(10.0, f"web: waiting: {NO_MEMORY}")]


def test_a_failure_on_standard_output_is_followed_by_what_matters() -> None:
    log = Log()
    log.event(1.0, "failed", IMAGE)
    log.until(100.0)
    assert log.printed == [(1.0, "broken: image registry.example/web:9")]


def test_a_failure_that_is_held_is_reported_once() -> None:
    log = Log(held={"broken"})
    log.event(1.0, "failed", IMAGE)
    log.until(8.0)
    log.held.clear()
    log.event(8.0, "progress", {"service": "web", "phase": "healthy"})
    assert log.printed == [
        (1.0 + HELD_SECONDS, "broken: failed: image pull failed: tag not found (image registry.example/web:9)")
    ]


def test_a_failure_that_is_held_for_a_moment_is_not_reported_as_one() -> None:
    log = Log(held={"broken"})
    log.event(1.0, "failed", IMAGE)
    log.until(3.9)
    log.held.clear()
    log.event(3.9, "progress", {"service": "web", "phase": "healthy"})
    log.until(100.0)
    assert log.printed == [(3.9, "broken: image registry.example/web:9")]


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, None),
        ({"evidence": ""}, None),
        ({"evidence": "starting\npanic: no config\n\n"}, "broken: panic: no config"),
        ({"evidence": "starting", "detail": "last log line: panic"}, "broken: last log line: panic"),
        ({"evidence": "tag not found"}, None),
        ({"evidence": "x" * 400}, "broken: " + "x" * 297 + "..."),
        ({"evidence": 5, "detail": ["x"]}, "broken: 5"),
    ],
)
def test_what_matters_of_a_failure(more: dict[str, Any], line: str | None) -> None:
    log = Log()
    log.event(0.0, "failed", {**FAILED, **more})
    assert [text for _, text in log.printed] == ([line] if line else [])


def test_a_failure_ends_the_suspicion_and_no_other_begins() -> None:
    log = Log()
    log.event(0.0, "progress", SUSPECT)
    log.event(4.0, "failed", {"service": "web", "reason": NO_MEMORY})
    log.event(5.0, "progress", SUSPECT)
    log.until(100.0)
    assert (log.printed, log.notices.needs_status(log.now)) == ([], False)
    log.event(100.0, "progress", {"service": "web", "phase": "healthy"})
    log.event(101.0, "progress", SUSPECT)
    log.until(200.0)
    assert [moment for moment, _ in log.printed] == [101.0 + SUSPICION_SECONDS]


def test_a_failure_of_the_whole_rollout_has_no_notice() -> None:
    log = Log()
    log.event(0.0, "progress", SUSPECT)
    log.event(1.0, "failed", {"reason": "superseded by generation 5"})
    log.event(1.0, "done", {"success": False})
    log.until(100.0)
    assert (log.printed, log.notices.due) == ([], None)


def test_without_failures_only_suspicions_are_reported() -> None:
    log = Log(Notices(3, failures=False), held={"broken"})
    log.event(0.0, "failed", IMAGE)
    log.event(0.0, "progress", SUSPECT)
    log.until(100.0)
    assert log.printed == [(5.0, f"web: waiting: {NO_MEMORY}")]


def test_names_are_as_wide_as_on_standard_output() -> None:
    notices = Notices(6)
    notices.apply("failed", IMAGE | {"service": "web"}, 0.0)
    assert notices.lines(0.0, lambda _: False) == ["  web:    image registry.example/web:9"]


STARTING = {"service": "web", "phase": "starting"}


def unready(check: str | None = "HTTP 503", **more: Any) -> list[dict[str, Any]]:
    return [{"name": "web", "state": "Starting", "healthCheck": check, "dueAt": due_at(31.0), **more}]


class TestAStartThatTakesLong:
    def test_failing_health_checks_are_reported_after_five_seconds_and_until_when(self) -> None:
        log = Log()
        log.event(1.0, "progress", STARTING)
        assert not log.notices.needs_status(5.9)
        assert log.notices.needs_status(6.0)
        for moment in (6.0, 8.0, 10.0):
            log.status(moment, unready())
        assert log.printed == [(6.0, "web: waiting: not ready: health check: HTTP 503 (fails in 25s)")]

    def test_a_start_whose_checks_report_nothing_is_silent(self) -> None:
        log = Log()
        log.event(1.0, "progress", STARTING)
        log.status(6.0, unready(None))
        log.status(8.0, unready(5))  # type: ignore[arg-type]
        log.status(10.0, [{"name": "web", "state": "Starting", "message": "text of a state before"}])
        log.until(100.0)
        assert log.printed == []

    def test_another_report_is_printed_when_it_has_lasted(self) -> None:
        log = Log()
        log.event(1.0, "progress", STARTING)
        log.status(6.0, unready())
        log.status(8.0, unready("no answer in time"))
        log.status(10.0, unready())
        log.status(12.0, unready("no answer in time"))
        log.until(20.0)
        assert [each for each, _ in log.printed] == [6.0, 17.0]

    @pytest.mark.parametrize("phase", ["healthy", "settled", "stopped", "waiting"])
    def test_a_start_that_is_over_is_not_reported(self, phase: str) -> None:
        log = Log()
        log.event(1.0, "progress", STARTING)
        log.event(5.0, "progress", {"service": "web", "phase": phase})
        log.status(7.0, unready())  # of a replica of the gateway that is behind
        assert (log.printed, log.notices.needs_status(log.now)) == ([], False)

    def test_a_failure_says_more(self) -> None:
        log = Log()
        log.event(1.0, "progress", STARTING)
        log.event(2.0, "failed", FAILED | {"service": "web"})
        log.status(7.0, unready())
        assert not any("not ready" in text for _, text in log.printed)
        assert not log.notices.needs_status(log.now)

    def test_what_is_wrong_during_a_start_is_one_more_report(self) -> None:
        log = Log()
        log.event(1.0, "progress", STARTING)
        log.status(6.0, unready())
        log.event(8.0, "progress", SUSPECT)
        log.status(9.0, web())
        log.until(20.0)
        assert [text for _, text in log.printed] == [
            "web: waiting: not ready: health check: HTTP 503 (fails in 25s)",
            f"web: waiting: {NO_MEMORY}",
        ]

    def test_the_end_of_the_rollout_ends_it(self) -> None:
        log = Log()
        log.event(1.0, "progress", STARTING)
        log.event(2.0, "done", {"success": True})
        assert not log.notices.needs_status(100.0)
