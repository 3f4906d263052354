"""Ids of events and of rollouts; and events of rollouts that are not in the status."""

from datetime import UTC, datetime, timedelta

import pytest

from mill_api.events import END, Event, parse_id, rollout_events
from mill_api.rollout_ids import new_request, rollout_id
from mill_api.rollouts import FailedService, PastRollout, Rollout
from mill_api.service_status import Phase, ServiceStatus, Settlement, State, Transition
from mill_api.status import MillDeploymentStatus

UID = "0123456789abcdef"
AT = "2026-01-31T12:00:00.000Z"


def metadata(generation: int, request: str | None = None) -> dict[str, object]:
    return {"generation": generation, "annotations": {"mill.dev/request": request} if request is not None else None}


def past(rollout: str) -> PastRollout:
    return PastRollout(id=rollout, started_at=AT, finished_at=AT, success=True)


class TestRolloutId:
    @pytest.mark.parametrize(
        ("request_value", "expected"),
        [
            (None, "4"),
            ("", "4"),
            ("abc-1_X", "4-abc-1_X"),
            ("x" * 32, "4-" + "x" * 32),
        ],
    )
    def test_it_is_the_generation_and_the_request(self, request_value, expected):
        assert rollout_id(metadata(4, request_value)) == expected

    @pytest.mark.parametrize("value", ["2026-01-31T12:00:00Z", "a.b", "x" * 33, "line\nbreak", "ä", "trailing\n"])
    def test_a_request_that_would_break_ids_is_hashed(self, value):
        made = rollout_id(metadata(4, value))
        assert made.startswith("4-")
        assert made == rollout_id(metadata(4, value))
        assert parse_id(f"01234567.{made}.1") == ("01234567", made, 1)

    def test_requests_sort_by_the_time_at_which_they_were_made(self):
        moment = datetime(2026, 1, 31, tzinfo=UTC)
        requests = [new_request(moment + timedelta(milliseconds=each)) for each in range(5)]
        assert requests == sorted(requests)
        assert all(rollout_id(metadata(4, each)) == f"4-{each}" for each in requests)


class TestEventId:
    @pytest.mark.parametrize("seq", [1, 999_999, END])
    def test_an_id_can_be_read_back(self, seq):
        event = Event("01234567.4-abc", seq, "progress", {})
        assert parse_id(event.id) == ("01234567", "4-abc", seq)

    def test_the_id_of_the_last_event_ends_with_end(self):
        assert Event("01234567.4", END, "done", {}).id == "01234567.4.end"
        assert Event("01234567.4", END, "done", {}).last

    @pytest.mark.parametrize("text", ["", "1", "a.b", "a.b.c", "a.b.1.2", "a.b.", "a.4.1", "01234567.4.1000001"])
    def test_another_text_is_refused(self, text):
        with pytest.raises(ValueError, match=r".*"):
            parse_id(text)

    def test_bytes_are_a_server_sent_event(self):
        event = Event("01234567.4", 7, "progress", {"service": "web", "phase": "healthy"})
        assert event.encode() == (
            b'event: progress\r\ndata: {"service": "web", "phase": "healthy"}\r\nid: 01234567.4.7\r\n\r\n'
        )

    def test_no_text_breaks_out_of_its_line(self):
        assert Event("01234567.4", 7, "failed", {"reason": "a\r\n\r\nevent: done"}).encode().count(b"\r\n\r\n") == 1


class TestRollouts:
    STATUS = MillDeploymentStatus(
        observed_generation=5, rollout=Rollout(id="5", started_at=AT), history=[past("4-b"), past("4"), past("2")]
    )

    def named(self, rollout: str, *, generation: int = 5, request: str | None = None) -> list[tuple[str, object]]:
        events = rollout_events(UID, rollout, metadata(generation, request), self.STATUS)
        return [(each.name, each.data.get("reason", each.data.get("success"))) for each in events]

    def test_the_current_rollout_has_no_end_yet(self):
        assert self.named("5") == []

    @pytest.mark.parametrize("rollout", ["4-b", "4", "2"])
    def test_a_rollout_of_the_history_has_finished(self, rollout):
        assert self.named(rollout) == [("done", True)]

    @pytest.mark.parametrize("rollout", ["3", "1", "4-a"])
    def test_a_rollout_that_the_operator_never_observed_was_superseded(self, rollout):
        assert self.named(rollout) == [("failed", "superseded by generation 5"), ("done", False)]

    @pytest.mark.parametrize(
        ("rollout", "generation", "request_value"), [("6", 6, None), ("5-a", 5, "a"), ("6", 5, None)]
    )
    def test_a_rollout_that_has_not_started_has_no_events(self, rollout, generation, request_value):
        assert self.named(rollout, generation=generation, request=request_value) == []

    def test_a_replaced_request_has_finished_even_if_its_clock_was_ahead(self):
        """Two gateways sent requests while the operator was down; the clock of the first one is ahead."""
        assert self.named("5-b", request="a") == [
            ("failed", "superseded by a newer request for the same generation"),
            ("done", False),
        ]

    def test_a_superseded_one_names_its_own_successor(self):
        ended = self.STATUS.model_copy(
            update={"history": [past("4"), past("3").model_copy(update={"superseded": True, "success": False})]}
        )
        events = rollout_events(UID, "3", metadata(5), ended)
        assert events[0].data == {"reason": "superseded by generation 4"}


def test_detail_has_all_phases_and_what_the_default_leaves_out():
    steps = [
        Transition(seq=1, at=AT, phase=Phase.STARTING),
        Transition(seq=2, at="2026-01-31T12:00:01.250Z", phase=Phase.FAILED, code="X", message="it broke"),
    ]
    web = ServiceStatus(
        name="web", state=State.FAILED, reason="X", suggestion="mend it", evidence="e", transitions=steps
    )
    status = MillDeploymentStatus(observed_generation=1, rollout=Rollout(id="1", started_at=AT), services=[web])
    plain = rollout_events(UID, "1", metadata(1), status)
    full = rollout_events(UID, "1", metadata(1), status, full=True)
    assert [each.data for each in plain] == [{"service": "web", "reason": "it broke"}]
    assert [each.data for each in full] == [
        {"service": "web", "phase": "starting", "elapsed": 0.0},
        {
            "service": "web", "reason": "it broke", "elapsed": 1.2, "code": "X", "suggestion": "mend it",
            "evidence": "e",
        },
    ]  # fmt: skip
    assert plain[0].id == full[1].id


def test_a_request_that_supersedes_another_of_its_generation_says_so() -> None:
    metadata = {"generation": 4, "annotations": {"mill.dev/request": "b"}}
    events = rollout_events("0123456789", "4-a", metadata, MillDeploymentStatus())
    assert events[0].data == {"reason": "superseded by a newer request for the same generation"}
    assert events[1].name == "done"


class TestOneService:
    """The events of one service, which `mill restart` reads."""

    @staticmethod
    def status(*, finished: bool = False, **states: str) -> MillDeploymentStatus:
        services = []
        for seq, (name, state) in enumerate(states.items(), start=1):
            steps = [Transition(seq=seq, at="2026-01-31T12:00:02.500Z", phase=Phase(state.lower()), message="why")]
            services.append(ServiceStatus(name=name, state=State(state), transitions=steps))
        rollout = Rollout(id="4", started_at=AT, finished_at="2026-01-31T12:00:09.000Z" if finished else None)
        return MillDeploymentStatus(rollout=rollout, services=services)

    def named(self, status: MillDeploymentStatus, only: str) -> list[tuple[str, object]]:
        events = rollout_events(UID, "4", metadata(4), status, only=only)
        return [(each.name, each.data.get("phase", each.data.get("success"))) for each in events]

    def ended(self, status: MillDeploymentStatus, name: str, phase: Phase, seq: int) -> MillDeploymentStatus:
        """Return a status in which a service has settled or failed after everything else."""
        at = "2026-01-31T12:00:02.500Z"
        services = []
        for each in status.services:
            if each.name == name and phase is Phase.SETTLED:
                services.append(each.model_copy(update={"settlement": Settlement(seq=seq, at=at)}))
            elif each.name == name:
                step = Transition(seq=seq, at=at, phase=phase, message="why")
                services.append(each.model_copy(update={"transitions": [*each.transitions, step]}))
            else:
                services.append(each)
        return status.model_copy(update={"services": services})

    def test_it_ends_when_the_service_has_settled_or_failed(self):
        status = self.status(web="Healthy", slow="Starting", broken="Failed")
        assert self.named(status, "web") == [("progress", "healthy")]
        assert self.named(status, "broken") == [("failed", None), ("done", False)]
        assert self.named(status, "slow") == []
        status = self.ended(status, "web", Phase.SETTLED, 4)
        assert self.named(status, "web") == [("progress", "healthy"), ("done", True)]
        (done,) = rollout_events(UID, "4", metadata(4), status, only="web")[1:]
        assert self.named(self.ended(status, "web", Phase.FAILED, 5), "web")[-1] == ("done", True)
        assert (done.data, done.id) == ({"elapsed": 2.5, "success": True}, "01234567.4.end")

    @pytest.mark.parametrize(("phase", "success"), [(Phase.SETTLED, True), (Phase.FAILED, False)])
    def test_a_service_whose_window_outlasts_the_rollout_ends_later(self, phase, success):
        status = self.status(web="Healthy", broken="Failed", finished=True)
        rollout = status.rollout.model_copy(update={"last_seq": 2, "success": False})
        status = status.model_copy(update={"rollout": rollout})
        assert self.named(status, "web") == [("progress", "healthy")]
        whole = rollout_events(UID, "4", metadata(4), status)
        later = self.ended(status, "web", phase, 3)
        assert self.named(later, "web")[-1] == ("done", success)
        assert rollout_events(UID, "4", metadata(4), later) == whole  # what was sent stays
        assert rollout_events(UID, "4", metadata(4), later, full=True) == rollout_events(
            UID, "4", metadata(4), status, full=True
        )

    def test_a_service_without_transitions_ends_with_the_rollout(self):
        quiet = ServiceStatus(name="quiet", state=State.HEALTHY)
        going = self.status(broken="Failed").model_copy(update={"services": [quiet]})
        assert self.named(going, "quiet") == []
        finished = self.status(broken="Failed", finished=True).model_copy(update={"services": [quiet]})
        assert self.named(finished, "quiet") == [("done", True)]

    def test_in_the_history_only_its_own_failure_counts(self):
        failed = [FailedService(seq=3, service="broken", reason="why")]
        old = past("3").model_copy(update={"success": False, "failed": failed})
        status = self.status(web="Healthy").model_copy(update={"history": [old]})
        for only, expected in {"web": [("done", True)], "broken": [("failed", None), ("done", False)]}.items():
            events = rollout_events(UID, "3", metadata(4), status, only=only)
            assert [(each.name, each.data.get("success")) for each in events] == expected

    def test_the_end_of_the_whole_rollout_ends_it_as_well(self):
        old = past("3").model_copy(update={"success": False, "superseded": True})
        status = self.status(web="Healthy").model_copy(update={"history": [old]})
        events = rollout_events(UID, "3", metadata(4), status, only="web")
        assert [each.data for each in events] == [
            {"reason": "superseded by generation 4"},
            {"elapsed": 0.0, "success": False},
        ]
