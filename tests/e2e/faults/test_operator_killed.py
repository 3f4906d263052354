"""The operator is killed at random moments of rollouts, and started again each time."""

import os
import random
import secrets
import time

import pytest

from tests.e2e.conftest import Namespace

from .operator_process import OperatorProcess
from .scenario import AFTER, Outcome, Rollout, settled

pytestmark = pytest.mark.alone

SEED = os.environ.get("MILL_SEED") or secrets.token_hex(4)
KILLS = {"first": 4, "second": 3, "third": 3}
"""How often the operator is killed in each of the rollouts."""
MOMENTS = 3.0
"""Within how many seconds: in which no rollout can be over, since `web` is ready two seconds after its start."""


@pytest.mark.parametrize("which", KILLS)
def test_a_rollout_ends_as_if_nobody_had_been_killed(
    which: str, namespace: Namespace, operator: OperatorProcess, undisturbed: Outcome
) -> None:
    luck = random.Random(f"{SEED} {which}")
    moments = sorted(luck.uniform(0, MOMENTS) for _ in range(KILLS[which]))
    print(f"MILL_SEED={SEED}: killed after {', '.join(f'{each:.2f} s' for each in moments)}")
    settled(namespace)
    rollout = Rollout(namespace, AFTER)
    began = time.monotonic()
    for moment in moments:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        assert not rollout.over
        operator.kill()
        operator.launch()
    assert rollout.outcome() == undisturbed
