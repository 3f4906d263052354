"""The percentiles that the benches print."""

import pytest

from tests.bench.figures import percentile


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1)],
)
def test_a_percentile_is_the_figure_that_so_many_do_not_exceed(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_of_few_figures_the_largest_stands_for_the_99th() -> None:
    assert percentile([3, 1, 2], 0.99) == 3
