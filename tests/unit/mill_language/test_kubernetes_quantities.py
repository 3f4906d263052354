"""Quantities of Kubernetes, with the results of `resource.ParseQuantity` of apimachinery 0.35."""

import time

import pytest

from mill_api.quantities import InvalidQuantity, bytes_of, cores_of, normalize_cpu, normalize_size

LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("written", "cores", "size"),
    [
        ("0", 0.0, 0),
        ("0Ki", 0.0, 0),
        ("1", 1.0, 1),
        ("+1", 1.0, 1),
        ("-1", -1.0, -1),
        ("+0", 0.0, 0),
        ("-0", 0.0, 0),
        ("+1e3", 1000.0, 1000),
        ("-1e3", -1000.0, -1000),
        ("1e3", 1000.0, 1000),
        ("1E3", 1000.0, 1000),
        ("1e+3", 1000.0, 1000),
        ("1E-3", 0.001, 1),
        ("1.3E+6", 1_300_000.0, 1_300_000),
        ("1E", 1e18, 10**18),  # exa, not an exponent
        ("2P", 2e15, 2 * 10**15),
        ("100.035k", 100_035.0, 100_035),
        ("1n", 1e-9, 1),
        ("4u", 4e-6, 1),
        ("3m", 0.003, 1),
        ("1500m", 1.5, 2),
        ("1Ki", 1024.0, 1024),
        ("-1Ki", -1024.0, -1024),
        ("3Ei", 3 * 2.0**60, 3 * 2**60),
        ("100.035Ki", 102_435.84, 102_436),
        (".5", 0.5, 1),
        ("+.5", 0.5, 1),
        ("5.", 5.0, 5),
        ("1.G", 1e9, 10**9),
        (".5Gi", 2.0**29, 2**29),
        ("00001", 1.0, 1),
        # finer values are rounded up
        ("0.1n", 1e-9, 1),
        ("3.001n", 4e-9, 1),
        ("1e-30", 1e-9, 1),
        ("0.000000000001Ki", 2e-9, 1),
        # larger values are capped; Kubernetes itself keeps the text of decimal ones, and computes wrongly
        ("9Ei", float(LARGEST), LARGEST),
        ("-9Ei", float(-LARGEST), -LARGEST),
        ("9223372036854775807Ki", float(LARGEST), LARGEST),
        ("12E", float(LARGEST), LARGEST),
        ("1e300", float(LARGEST), LARGEST),
        ("1e2147483647", float(LARGEST), LARGEST),
        ("0e2147483647", 0.0, 0),
        ("1e-2147483648", 1e-9, 1),
        ("1e4294967299", 1000.0, 1000),  # of an exponent it keeps 32 bits
        # a suffix without a number is zero
        ("+", 0.0, 0),
        (".", 0.0, 0),
        ("-.", 0.0, 0),
        ("Ki", 0.0, 0),
        ("m", 0.0, 0),
        ("E", 0.0, 0),
        ("e3", 0.0, 0),
    ],
)
def test_quantities_have_the_value_that_kubernetes_reads(written: str, cores: float, size: int) -> None:
    assert cores_of(written) == pytest.approx(cores, rel=1e-15)
    assert bytes_of(written) == size
    assert "-0" not in (str(cores_of(written)), normalize_cpu(written), normalize_size(written))


@pytest.mark.parametrize(
    "written",
    [
        "",
        " 1",
        "1 ",
        "1K",
        "1ki",
        "1mi",
        "1e",
        "1E+",
        "1e3Ki",
        "1e3.5",
        "1.2.3",
        "--1",
        "0x10",
        "1_000",
        "NaN",
        "\u0661",
        "1\n",
        "1e9223372036854775808",
        "1e99999999999999999999",
    ],
)
def test_texts_that_kubernetes_refuses_are_refused(written: str) -> None:
    with pytest.raises(InvalidQuantity):
        cores_of(written)


@pytest.mark.parametrize(
    ("written", "cores"),
    [
        ("0" * 1_000_000 + "1", 1.0),
        ("0." + "9" * 1_000_000, 1.0),
        ("9" * 1_000_000, float(LARGEST)),
        ("1" + "0" * 1_000_000 + "e-1000000", 1.0),
        ("1e-" + "0" * 1_000_000 + "3", 0.001),
    ],
)
def test_a_long_quantity_takes_time_in_proportion_to_its_length(written: str, cores: float) -> None:
    started = time.process_time()
    assert cores_of(written) == cores
    assert time.process_time() - started < 3
