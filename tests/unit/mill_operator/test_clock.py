"""A clock that does not follow changes of the machine's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from mill_operator import clock as module
from mill_operator.clock import SteadyClock


def off(clock: SteadyClock) -> float:
    """How many seconds it is ahead of the machine's clock."""
    return (clock() - datetime.now(UTC)).total_seconds()


@pytest.mark.parametrize(("ahead", "then"), [(30, 30), (-30, -30), (1.5, 0), (-1.5, 0)])
def test_it_agrees_with_the_api_server_to_the_precision_of_its_time(ahead, then):
    clock = SteadyClock()
    clock.agree(timedelta(seconds=ahead))
    assert off(clock) == pytest.approx(then, abs=0.1)


def test_it_runs_evenly(monkeypatch):
    clock = SteadyClock()
    before, now = clock(), module._uptime()
    monkeypatch.setattr(module, "_uptime", lambda: now + 60)
    assert (clock() - before).total_seconds() == pytest.approx(60, abs=0.1)
