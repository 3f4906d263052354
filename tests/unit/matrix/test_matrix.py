"""The table of pairs: what is counted, what is named, and which rows stay."""

from pathlib import Path

import pytest

from hack.cluster.components import Components
from hack.cluster.packages import NotSupported
from tests.matrix.__main__ import PAIRS, parsed, reported_by, with_row
from tests.matrix.outcomes import counted, is_good, keep, kept, notes
from tests.matrix.slices import SLICES, files, slice_of
from tests.soak.page import rows_of

ROOT = Path(__file__).parents[3]


def report(*cases: tuple[str, str, str]) -> str:
    inner = "".join(
        f'<testcase classname="{module}" name="{name}">{f"<{outcome}/>" if outcome else ""}</testcase>'
        for module, name, outcome in cases
    )
    return f"<testsuites><testsuite>{inner}</testsuite></testsuites>"


def test_every_file_of_a_slice_exists_and_is_in_one_slice() -> None:
    assert all((ROOT / file).is_file() for file in files())
    assert len(files()) == len(set(files()))


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("tests.e2e.test_failures", "failures"),
        ("tests.e2e.test_rollouts.TestDeletion", "updates, removal"),
        ("tests.e2e.chart.test_install", "chart"),
        ("tests.e2e.test_failures_of_others", ""),
        ("", ""),
    ],
)
def test_a_test_is_in_the_slice_of_its_module(class_name: str, expected: str) -> None:
    assert slice_of(class_name) == expected


def test_what_failed_in_any_phase_has_failed_and_nothing_is_left_out_silently() -> None:
    together = report(
        ("tests.e2e.test_failures", "test_a", ""),
        ("tests.e2e.test_failures", "test_b", ""),
        ("tests.e2e.test_failures", "test_b", "error"),
        ("tests.e2e.test_update", "test_c", "failure"),
        ("tests.e2e.test_update", "test_d", "skipped"),
        ("tests.e2e.test_other", "test_e", ""),
    )
    counts = counted([together, report(("tests.e2e.chart.test_install", "test_f", ""))])
    assert {name: str(count) for name, count in counts.items() if count.whole} == {
        "failures": "1 of 2",
        "updates, removal": "0 of 2, 1 skipped",
        "chart": "1 of 1",
    }
    assert notes(counts) == (
        "failed: test_b, test_c; skipped: test_d; not run: scenario, rules of the CRD, admission policies, API server"
    )
    assert not is_good(counts)


def test_all_passed() -> None:
    counts = counted(
        [report(*((files[0].removesuffix(".py").replace("/", "."), "t", "") for files in SLICES.values()))]
    )
    assert is_good(counts)
    assert notes(counts) == "-"


def test_slices_that_are_not_run_again_keep_their_counts(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.json"
    assert not any(count.whole for count in kept(file).values())
    counts = counted([report(("tests.e2e.test_failures", "a", ""), ("tests.e2e.test_failures", "b", "failure"))])
    keep(file, counts)
    assert kept(file) == counts


def test_pairs_are_named_by_both_versions() -> None:
    assert parsed("1.37/2.4") == Components("1.37.2", "2.4.2")
    assert [str(parsed(each)) for each in PAIRS][2] == "Kubernetes 1.35.4 with containerd 1.6"
    with pytest.raises(NotSupported, match=r"MILL_KUBERNETES=1\.29"):
        parsed("1.29/1.7")


def test_a_row_replaces_the_one_of_its_pair_and_the_others_stay() -> None:
    def row(pair: str, cell: str) -> list[str]:
        return [pair, *[cell] * len(SLICES), "node", "9 min", "2026-01-01", "-"]

    page = with_row("# Page\n", row("1.37.2/2.4.2", "1 of 2"))
    page = with_row(page, row("1.31.0/1.7.31", "2 of 2"))
    page = with_row(page, row("1.37.2/2.4.2", "2 of 2"))
    rows = rows_of(page, "Pairs of Kubernetes and containerd")
    assert list(rows) == ["1.31.0/1.7.31", "1.37.2/2.4.2"]
    assert rows["1.37.2/2.4.2"] == row("1.37.2/2.4.2", "2 of 2")


def test_a_node_s_versions_are_shown_without_what_builds_add() -> None:
    assert reported_by("v1.37.2 containerd://2.4.2+unknown") == "v1.37.2, containerd 2.4.2"
    assert reported_by("v1.35.4 containerd://1.6.20~ds1") == "v1.35.4, containerd 1.6.20~ds1"
