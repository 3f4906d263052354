"""Containers that their kubelet ends because the live check has failed: told as that, and not as an exit code."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mill_api.service_status import Replicas, ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.findings import Finding
from tests.support.recordings import UID, WEB, at, changed, look, pod

LIVE = replace(WEB, request=replace(WEB.request, least_live_time=timedelta(seconds=20)))
"""Three checks, ten seconds apart."""
FAILED = "Liveness probe failed: HTTP probe failed with statuscode: 503"
KILLED = "Container web failed liveness probe, will be restarted"


def _ended(code: int = 137, reason: str = "Error", *, ran: float = 30, crashes: int = 2) -> ObservedPod:
    """Return a pod whose container ran until 60 s after the creation."""
    end = Termination(code, reason, "", at(60 - ran), at(60))
    return changed(pod("crashed-twice"), ended=end, last_ended=end, restarts=crashes - 1)


def _events(killed: float | None = 59.0, probe: str = FAILED) -> LookupResults:
    found = [ObservedEvent("Unhealthy", probe, "web", at(58))]
    if killed is not None:
        found.insert(0, ObservedEvent("Killing", KILLED, "web", at(killed)))
    return LookupResults(events={UID: tuple(found)})


def _before(rule: str, state: State) -> ServiceStatus:
    return ServiceStatus(
        name="web",
        image=WEB.request.image,
        template=WEB.template,
        state=state,
        rule=rule,
        since=timestamps.render(at(30)),
        replicas=Replicas(desired=1, updated=1, healthy=0, serving=0),
    )


def _found(
    made: ObservedPod, answers: LookupResults, seconds: float = 61, previous: ServiceStatus | None = None
) -> tuple[State, Finding]:
    seen = look(made, at=seconds, wanted=LIVE, answers=answers, previous=previous)
    assert seen.finding is not None
    return seen.state, seen.finding


@pytest.mark.parametrize("code", [0, 1, 137, 143])
def test_the_second_restart_is_a_failure_whatever_the_program_says_of_its_end(code: int) -> None:
    made = _ended(code, "Completed" if code == 0 else "Error")
    state, finding = _found(made, _events())
    assert (state, finding.rule.code) == (State.FAILED, "LivenessFailed")
    assert finding.message == "restarted since the live check failed: HTTP 503"
    assert finding.evidence == FAILED
    assert finding.is_own_fault


def test_the_first_restart_is_a_suspicion() -> None:
    state, finding = _found(_ended(crashes=1), _events())
    assert (state, finding.rule.code) == (State.SUSPECT, "LivenessFailed")


@pytest.mark.parametrize(
    ("killed", "code"),
    [(29.0, "ContainerExited"), (30.0, "LivenessFailed"), (61.0, "LivenessFailed"), (62.0, "ContainerExited")],
)
def test_a_kill_belongs_to_the_end_in_whose_run_it_was(killed: float, code: str) -> None:
    assert _found(_ended(), _events(killed), 90)[1].rule.code == code


@pytest.mark.parametrize(
    ("reason", "probe"),
    [("Killing", "Stopping container web"), ("Unhealthy", FAILED), ("Killing", "Container web failed startup probe")],
)
def test_another_event_is_no_kill(reason: str, probe: str) -> None:
    events = LookupResults(events={UID: (ObservedEvent(reason, probe, "web", at(59)),)})
    assert _found(_ended(), events, 90)[1].rule.code == "ContainerExited"


def test_the_kill_of_another_container_is_none_of_ours() -> None:
    events = LookupResults(events={UID: (ObservedEvent("Killing", KILLED, "proxy", at(59)),)})
    assert _found(_ended(), events, 90)[1].rule.code == "ContainerExited"


def test_memory_comes_first() -> None:
    assert _found(_ended(reason="OOMKilled"), _events())[1].rule.code == "OutOfMemory"


class TestEventsThatAreLate:
    def test_an_end_waits_for_its_events(self) -> None:
        state, finding = _found(_ended(), NO_RESULTS, 61)
        assert (state, finding.rule.code) == (State.SUSPECT, "ContainerExited")
        assert finding.due == at(68)
        assert look(_ended(), at=61, wanted=LIVE).wake_at == at(68)

    def test_without_events_it_is_an_exit_code(self) -> None:
        assert _found(_ended(), NO_RESULTS, 68)[0] is State.FAILED

    def test_an_end_that_no_live_check_can_have_caused_does_not_wait(self) -> None:
        state, finding = _found(_ended(ran=18), NO_RESULTS, 61)
        assert (state, finding.rule.code) == (State.FAILED, "ContainerExited")

    def test_a_verdict_is_not_taken_back(self) -> None:
        before = _before("crash", State.FAILED)
        assert _found(_ended(crashes=3), NO_RESULTS, 61, before)[0] is State.FAILED

    def test_the_next_end_has_the_same_cause_until_more_is_known(self) -> None:
        before = _before("live-check", State.FAILED)
        state, finding = _found(_ended(crashes=3), NO_RESULTS, 61, before)
        assert (state, finding.message) == (State.FAILED, "restarted since the live check failed")
        assert _found(_ended(code=1, crashes=3), NO_RESULTS, 61, before)[1].rule.code == "ContainerExited"


class TestLookups:
    @pytest.mark.parametrize(("wanted", "count"), [(LIVE, 1), (WEB, 0)])
    def test_events_are_looked_up_for_services_with_a_live_check(self, wanted: object, count: int) -> None:
        asked = look(_ended(), at=61, wanted=LIVE if wanted is LIVE else WEB).lookup_requests
        assert len([each for each in asked if each.says.startswith("ended at")]) == count

    def test_one_lookup_for_an_end_is_enough_later(self) -> None:
        freshness = [
            next(each for each in look(_ended(), at=seconds, wanted=LIVE).lookup_requests if each.says).fresh
            for seconds in (61, 90)
        ]
        assert freshness[0] < freshness[1]


def test_a_live_check_is_no_evidence_about_readiness() -> None:
    health = "Readiness probe failed: HTTP probe failed with statuscode: 500"
    events = (ObservedEvent("Unhealthy", FAILED, "web", at(30)), ObservedEvent("Unhealthy", health, "web", at(29)))
    seen = look(pod("unready"), at=31, wanted=LIVE, answers=LookupResults(events={UID: events}))
    assert seen.finding is not None
    assert seen.finding.evidence == health
