"""The operator's wall clock is wrong, or is put right in the middle of a rollout."""

import re

import pytest

from tests.e2e.conftest import Namespace

from .clock import Clock
from .link import Link
from .operator_process import OperatorProcess
from .scenario import AFTER, Outcome, Rollout, settled

pytestmark = pytest.mark.alone

HOUR = 3600
SKEW = 30


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_the_clock_is_set_during_a_rollout(
    step: int, namespace: Namespace, operator: OperatorProcess, link: Link, clock: Clock, undisturbed: Outcome
) -> None:
    # Over the link: to an encrypted connection's certificate, an hour ago may be before its time.
    operator.start({**link.environment, **clock.environment})
    settled(namespace)
    rollout = Rollout(namespace, AFTER)
    rollout.wait_until_told("web", "scheduled")
    clock.set(step)
    assert rollout.outcome() == undisturbed
    hours = [int(hour) for hour in re.findall(r"^\d{4}-\d\d-\d\dT(\d\d):", operator.log, re.MULTILINE)]
    assert (hours[-1] - hours[0]) % 24 in (step // HOUR % 24, step // HOUR % 24 + 1), "it has seen the step"


@pytest.mark.parametrize("skew", [SKEW, -SKEW])
def test_the_clocks_of_operator_and_nodes_differ(
    skew: int, namespace: Namespace, operator: OperatorProcess, link: Link, clock: Clock, undisturbed: Outcome
) -> None:
    clock.set(skew)
    operator.start({**link.environment, **clock.environment})
    settled(namespace)
    seen = Rollout(namespace, AFTER).outcome()
    assert seen == undisturbed
    assert seen.seconds < SKEW, "nobody has waited until the clocks agreed"
