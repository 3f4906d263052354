"""Numbers, as the original mill prints them."""

import pytest

from mill_cli.output.numbers import cpu, seconds, size, used


@pytest.mark.parametrize(
    ("cores", "shown"),
    [(4, "4"), (4.0, "4"), (0, "0"), (0.25, "0.2"), (0.35, "0.3"), (0.05, "0.1"), (0.04, "0.0"), (-0.5, "-0.5")],
)
def test_cores_have_at_most_one_decimal(cores: float, shown: str) -> None:
    assert cpu(cores) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1000, "1000 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (128_000_000, "122.1 MiB"),
        (512_000_000, "488.3 MiB"),
        (8_589_934_592, "8.0 GiB"),
        (1_048_575, "1024.0 KiB"),
        (1_048_576, "1.0 MiB"),
        (2**64 - 1, "16.0 EiB"),
        *((1024**power, f"1.0 {'KMGTPE'[power - 1]}iB") for power in range(1, 7)),
        *((1024**power - 1, f"1024.0 {' KMGTPE'[power - 1]}iB") for power in range(2, 6)),
    ],
)
def test_bytes_have_binary_units(count: int, shown: str) -> None:
    assert size(count) == shown


@pytest.mark.parametrize(
    ("total", "available", "shown"), [(4.0, 3.75, "0.2/4"), (2, 2, "0/2"), (2, -0.5, "2.5/2"), (0.5, 0.5, "0/0.5")]
)
def test_how_much_is_taken(total: float, available: float, shown: str) -> None:
    assert used(total, available, cpu) == shown


@pytest.mark.parametrize(("elapsed", "shown"), [(4.2, "4.2s"), (12, "12.0s"), (1.9199, "1.9s"), (0.05, "0.1s")])
def test_seconds_have_one_decimal(elapsed: float, shown: str) -> None:
    assert seconds(elapsed) == shown
