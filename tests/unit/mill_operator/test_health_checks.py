"""What failing health checks of a start report before its time is up: no suspicion, and nothing of a normal start."""

from dataclasses import replace

import pytest

from mill_api.service_status import State
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.lookup_requests import PROBED_IN_VAIN
from tests.support.recordings import WEB, look, offset, pod, said
from tests.support.rollouts import World, failed, healthy, starting

REFUSED = "Readiness probe failed: dial tcp 10.244.0.173:8080: connect: connection refused"
STARTUP_REFUSED = f'Startup probe failed: Get "http://10.244.0.173:8080/": {REFUSED.partition(": ")[2]}'
HTTP = "Startup probe failed: HTTP probe failed with statuscode: 503"
TIMED_OUT = (
    'Startup probe failed: Get "http://10.244.0.9:8080/healthz": context deadline exceeded (Client.Timeout exceeded '
    "while awaiting headers)"
)
FIRST_STARTED = 1.0
"""When the container of the recorded pod started, in seconds after its creation."""


def report(message: str, at: float, seen: ObservedPod | None = None) -> str | None:
    """Return what is reported of a start whose probes fail with a message."""
    return look(seen or pod("unready"), at=at, answers=said(("Unhealthy", message), container="web")).health_check


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (HTTP, "HTTP 503"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", "HTTP 404"),
        (TIMED_OUT, "no answer in time"),
        ("Readiness probe failed: dial tcp 10.244.0.9:8080: i/o timeout", "no answer in time"),
        ('Readiness probe failed: Get "http://10.0.0.9:80/": EOF', "EOF"),
        ("Readiness probe errored and resulted in unknown state: exec failed", "exec failed"),
        ("an unknown text", "an unknown text"),
        (f"Readiness probe failed: {'x ' * 5000}", None),
    ],
)
def test_a_probe_in_few_words(message: str, text: str | None) -> None:
    found = report(message, at=7)
    assert found is not None
    assert found == text or (text is None and len(found) <= 200)


@pytest.mark.parametrize("message", [REFUSED, STARTUP_REFUSED])
def test_a_program_that_does_not_listen_yet_has_half_of_its_time(message: str) -> None:
    assert report(message, at=FIRST_STARTED + 14.9) is None
    assert report(message, at=FIRST_STARTED + 15) == "nothing listens on port 8080"
    seen = look(pod("unready"), at=10, answers=said(("Unhealthy", message), container="web"))
    assert offset(seen.wake_at) == FIRST_STARTED + 15


def test_it_is_neither_a_suspicion_nor_earlier_or_later_a_failure() -> None:
    seen = look(pod("unready"), at=20, answers=said(("Unhealthy", HTTP), container="web"))
    assert (seen.state, seen.health_check) == (State.STARTING, "HTTP 503")
    assert offset(seen.wake_at) == FIRST_STARTED + 30
    assert look(pod("unready"), at=FIRST_STARTED + 30, answers=said(("Unhealthy", HTTP))).state is State.FAILED


def test_without_an_event_of_the_service_s_own_probe_nothing_is_reported() -> None:
    assert look(pod("unready"), at=20).health_check is None
    other = look(pod("unready"), at=20, answers=said(("Unhealthy", HTTP), container="istio-proxy"))
    assert other.health_check is None


@pytest.mark.parametrize("name", ["ready", "pulling", "crashed-once", "readiness-gate"])
def test_other_states_have_no_report(name: str) -> None:
    assert report(HTTP, at=20, seen=pod(name)) is None


def test_a_start_is_looked_up_once_when_it_takes_long() -> None:
    seen = look(pod("unready"), at=3)
    running_since = pod("unready").container.running_since
    assert running_since is not None
    assert seen.wake_at == running_since + PROBED_IN_VAIN
    assert look(pod("ready"), at=3).wake_at is None


def test_the_status_has_it_while_the_service_starts() -> None:
    world = World()
    world.look(starting("web"))
    assert world.status.services[0].health_check is None
    transitions = world.status.services[0].transitions
    world.look(replace(starting("web"), health_check="HTTP 503"))
    assert world.status.services[0].health_check == "HTTP 503"
    assert world.status.services[0].transitions == transitions, "no event, and no phase"
    for after in (failed("web"), healthy("web")):
        world.look(replace(after, health_check="HTTP 503"))
        assert world.status.services[0].health_check is None


def test_a_longer_budget_moves_the_report() -> None:
    patient = replace(WEB, request=replace(WEB.request, budget=4 * WEB.request.budget))
    seen = look(pod("unready"), at=50, wanted=patient, answers=said(("Unhealthy", REFUSED), container="web"))
    assert seen.health_check is None
    assert offset(seen.wake_at) == FIRST_STARTED + 60
