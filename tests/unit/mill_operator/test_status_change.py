"""Changes between two statuses."""

import pytest

from mill_api.rollouts import PastRollout, Rollout
from mill_api.service_status import Phase, ServiceStatus, Transition
from mill_api.status import MillDeploymentStatus
from mill_operator.core.rollout.status_change import StatusChange

AT = "2026-01-31T12:00:00.000Z"


def status(
    rollout_id: str | None = None,
    *,
    success: bool | None = None,
    refused: str | None = None,
    history: tuple[PastRollout, ...] = (),
    **phases: list[Phase],
) -> MillDeploymentStatus:
    rollout = None
    if rollout_id is not None:
        finished_at = None if success is None else AT
        rollout = Rollout(id=rollout_id, started_at=AT, finished_at=finished_at, success=success, refused=refused)
    services = [
        ServiceStatus(name=name, transitions=[Transition(seq=i, at=AT, phase=each) for i, each in enumerate(those)])
        for name, those in phases.items()
    ]
    return MillDeploymentStatus(rollout=rollout, services=services, history=list(history))


def past(rollout_id: str, *, success: bool = True, superseded: bool = False) -> PastRollout:
    return PastRollout(id=rollout_id, started_at=AT, finished_at=AT, success=success, superseded=superseded)


@pytest.mark.parametrize(
    ("before", "after", "results"),
    [
        pytest.param(status(), status("1"), [], id="begun"),
        pytest.param(status("1"), status("1", success=True), ["succeeded"], id="succeeded"),
        pytest.param(status("1"), status("1", success=False), ["failed"], id="failed"),
        pytest.param(status("1", success=True), status("1", success=True), [], id="told already"),
        pytest.param(status(), status("1", success=False, refused="no"), ["refused"], id="refused"),
        pytest.param(
            status("1", success=True), status("2", history=(past("1"),)), [], id="the one before was told already"
        ),
        pytest.param(
            status("1"),
            status("3", history=(past("2", success=False, superseded=True), past("1", success=False, superseded=True))),
            ["superseded", "superseded"],
            id="superseded, and one that was never seen",
        ),
        pytest.param(
            status("1"), status("2", history=(past("1"),)), ["succeeded"], id="ended and followed in one write"
        ),
    ],
)
def test_rollouts_that_have_ended(
    before: MillDeploymentStatus, after: MillDeploymentStatus, results: list[str]
) -> None:
    assert StatusChange.between(before, after).ended_rollouts == tuple(results)


def test_a_rollout_starts_once() -> None:
    assert StatusChange.between(status(), status("1")).rollout_started
    assert StatusChange.between(status("1"), status("2")).rollout_started
    assert not StatusChange.between(status("1"), status("1", success=True)).rollout_started
    assert not StatusChange.between(status(), status()).rollout_started


def test_a_refused_rollout_may_start_again_and_end_under_its_id() -> None:
    """A newer operator may accept what an older one refused."""
    refused = status("1", success=False, refused="no")
    again = status("1", history=(past("1", success=False),))
    assert StatusChange.between(refused, again).rollout_started
    assert StatusChange.between(refused, again).ended_rollouts == ()
    later = Rollout(id="1", started_at=AT, finished_at="2026-01-31T12:00:01.000Z", success=True)
    assert StatusChange.between(again, again.model_copy(update={"rollout": later})).ended_rollouts == ("succeeded",)


def transitions(before: MillDeploymentStatus, after: MillDeploymentStatus) -> list[tuple[str, Phase, int]]:
    found = StatusChange.between(before, after).transitions
    return [(each.service, each.transition.phase, len(each.so_far)) for each in found]


def test_transitions_are_reported_once_and_all_of_them_in_a_new_rollout() -> None:
    before = status("1", web=[Phase.SCHEDULED], broken=[])
    after = status("1", web=[Phase.SCHEDULED, Phase.HEALTHY], broken=[Phase.FAILED])
    assert transitions(before, after) == [("broken", Phase.FAILED, 1), ("web", Phase.HEALTHY, 2)], "by their number"
    assert transitions(after, after) == []
    assert transitions(after, status("2", web=[Phase.SCHEDULED])) == [("web", Phase.SCHEDULED, 1)]
