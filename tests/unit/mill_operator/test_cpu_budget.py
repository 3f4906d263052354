"""One key may take so much at once, and a share in the long run."""

import pytest

from mill_operator.cpu_budget import CpuBudgets


@pytest.fixture
def allowances() -> CpuBudgets[str]:
    return CpuBudgets(share=0.25, burst=2.0)


def test_who_takes_little_never_rests(allowances: CpuBudgets[str]) -> None:
    assert [allowances.spend("a", 0.02, at * 0.1) for at in range(1000)] == [0.0] * 1000


def test_a_burst_is_free_and_what_is_beyond_is_made_up_for(allowances: CpuBudgets[str]) -> None:
    assert allowances.spend("a", 2.0, 0.0) == 0.0
    assert allowances.spend("a", 1.0, 0.0) == 4.0


def test_in_the_long_run_it_is_the_share(allowances: CpuBudgets[str]) -> None:
    now, used = 0.0, 0.0
    while now < 1000:
        now += 0.5  # a pass that works all the time
        used += 0.5
        now += allowances.spend("a", 0.5, now)
    assert used == pytest.approx(2.0 + 0.25 * 1000, rel=0.01)


def test_keys_have_nothing_to_do_with_each_other(allowances: CpuBudgets[str]) -> None:
    assert allowances.spend("a", 100.0, 0.0) > 0
    assert allowances.spend("b", 2.0, 0.0) == 0.0


def test_who_has_made_up_for_all_is_forgotten(allowances: CpuBudgets[str]) -> None:
    for number in range(10_000):
        allowances.spend(f"deleted-{number}", 0.01, number * 0.1)
    assert len(allowances) <= 2


def test_a_key_that_goes_and_comes_back_still_rests(allowances: CpuBudgets[str]) -> None:
    allowances.spend("a", 10.0, 0.0)
    allowances.spend("b", 0.1, 1.0)
    assert allowances.spend("a", 0.25, 1.0) == 32.0
