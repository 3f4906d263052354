"""CPU budgets: a burst for each key, and a share in the long run."""

import pytest

from mill_operator.cpu_budget import CpuBudgets


@pytest.fixture
def allowances() -> CpuBudgets[str]:
    return CpuBudgets(share=0.25, burst=2.0)


def test_a_key_below_its_share_never_rests(allowances: CpuBudgets[str]) -> None:
    assert [allowances.spend("a", 0.02, at * 0.1) for at in range(1000)] == [0.0] * 1000


def test_a_burst_is_free_and_more_is_paid_by_rest(allowances: CpuBudgets[str]) -> None:
    assert allowances.spend("a", 2.0, 0.0) == 0.0
    assert allowances.spend("a", 1.0, 0.0) == 4.0


def test_a_busy_key_gets_its_share_in_the_long_run(allowances: CpuBudgets[str]) -> None:
    now, used = 0.0, 0.0
    while now < 1000:
        now += 0.5  # a pass that works all the time
        used += 0.5
        now += allowances.spend("a", 0.5, now)
    assert used == pytest.approx(2.0 + 0.25 * 1000, rel=0.01)


def test_keys_have_separate_budgets(allowances: CpuBudgets[str]) -> None:
    assert allowances.spend("a", 100.0, 0.0) > 0
    assert allowances.spend("b", 2.0, 0.0) == 0.0


def test_a_key_with_a_full_budget_is_forgotten(allowances: CpuBudgets[str]) -> None:
    for number in range(10_000):
        allowances.spend(f"deleted-{number}", 0.01, number * 0.1)
    assert len(allowances) <= 2


def test_a_deleted_key_that_returns_still_rests(allowances: CpuBudgets[str]) -> None:
    allowances.spend("a", 10.0, 0.0)
    allowances.spend("b", 0.1, 1.0)
    assert allowances.spend("a", 0.25, 1.0) == 32.0
