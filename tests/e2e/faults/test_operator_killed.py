"""The operator is killed at random moments of rollouts, and started again each time."""

import pytest

from tests.e2e.conftest import Namespace

from .kills import kill_at_random
from .operator_process import OperatorProcess
from .scenario import AFTER, Outcome, Rollout, settled

pytestmark = pytest.mark.alone

KILLS = {"first": 4, "second": 3, "third": 3}
"""How often the operator is killed in each of the rollouts."""
MOMENTS = 3.0
"""Within how many seconds: in which no rollout can be over, since `web` is ready two seconds after its start."""


@pytest.mark.parametrize("which", KILLS)
def test_a_rollout_ends_as_if_nobody_had_been_killed(
    which: str, namespace: Namespace, operator: OperatorProcess, undisturbed: Outcome
) -> None:
    settled(namespace)
    rollout = Rollout(namespace, AFTER)
    kill_at_random(operator, which, KILLS[which], MOMENTS, lambda: rollout.over)
    assert rollout.outcome() == undisturbed
