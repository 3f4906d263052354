"""Run the tests of the slices on pairs of Kubernetes and containerd, into docs/compatibility.md: `make test-matrix`.

Each pair has a cluster of its own, apart from the usual one, which may run meanwhile. Rows of pairs that are not run
stay as they are; with `--only`, so do the cells of other slices, which are kept beside the built programs.
"""

import argparse
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import packages
from hack.cluster.apart import forget, run_apart
from hack.cluster.components import CONTAINERD, KUBERNETES, Components, named_by
from hack.cluster.packages import NotSupported
from hack.exclusive import exclusive
from hack.images.mill import build_mill
from hack.install.releases import PREVIOUS, build_release
from hack.progress import say, step
from hack.toolchain.build import COREDNS, CRANE, ETCD, HELM, build
from tests.matrix import outcomes
from tests.matrix.pair import NODE, REPORTS
from tests.matrix.slices import SLICES
from tests.soak.page import Section, rows_of, with_section

PAIRS: Final = ("1.31.0/1.7.31", "1.33.13/1.7.31", "1.35.4/1.6", "1.35.4/2.4.2", "1.37.2/2.4.2")
PAGE: Final = Path(__file__).parents[2] / "docs" / "compatibility.md"
_KEPT: Final = "outcomes.json"
_HEADING: Final = "Pairs of Kubernetes and containerd"
_EXPLANATION: Final = (
    "Each cell has the tests that passed, of all that were run there. A test that was skipped or failed is named in "
    "the last column. A row is replaced when its pair is run again; `--only` replaces the cells of a column."
)
_HEADER: Final = ("pair", *SLICES, "node", "last run took", "last run on", "not passed")


def main() -> int:
    """Run the pairs and write the page after each; return 1 unless all tests passed."""
    options = _options().parse_args()
    # A run that is started in the background must not pass on that it ignores Ctrl-C: some tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        pairs = {text: parsed(text) for text in options.pairs or PAIRS}
        packages.install()
    except NotSupported as error:
        say(f"error: {error}")
        return 1
    build([CRANE, ETCD, COREDNS, HELM])
    build_mill()
    build_release(PREVIOUS)
    results = [_run(components, options.only or list(SLICES), options.page) for components in pairs.values()]
    return 0 if all(results) else 1


def parsed(text: str) -> Components:
    """Return the pair that a text such as `1.37.2/2.4.2` or `1.37/2.4` names. Raise `NotSupported`."""
    kubernetes, _, containerd = text.partition("/")
    return named_by({KUBERNETES: kubernetes, CONTAINERD: containerd})


def _run(components: Components, slices: list[str], page: Path) -> bool:
    """Run one pair and write its row; return whether all tests passed."""
    build(components.programs)
    folder = paths.CACHE / "matrix" / f"{components.kubernetes}-{components.containerd}"
    folder.mkdir(parents=True, exist_ok=True)
    environment = {KUBERNETES: components.kubernetes, CONTAINERD: components.containerd}
    name = f"matrix-{components.kubernetes}-{components.containerd}".replace(".", "-")
    started = time.monotonic()
    with exclusive(folder / "lock", f"run on {components}"), step(f"tests on {components}"):
        for old in [*folder.glob("*.xml"), folder / NODE]:
            old.unlink(missing_ok=True)
        try:
            run_apart(name, [sys.executable, "-m", "tests.matrix.pair", str(folder), *slices], environment)
        finally:
            # What a run that was killed left behind.
            run_apart(name, [sys.executable, "-m", "hack.cluster", "down"], environment)
            forget(name)
    # Both reports or none: without that of the tests that run alone, a part of a slice would look like all of it.
    reports = [folder / f"{each}.xml" for each in REPORTS]
    new = outcomes.counted([file.read_text() for file in reports] if all(map(Path.exists, reports)) else [])
    counts = outcomes.kept(folder / _KEPT) | {each: new[each] for each in slices}
    outcomes.keep(folder / _KEPT, counts)
    row = _row(components, counts, folder / NODE, time.monotonic() - started)
    with exclusive(paths.CACHE / "matrix" / "page.lock", "row of the table"):
        page.write_text(with_row(page.read_text(), row))
    say(" | ".join(row))
    return outcomes.is_good(counts)


def _row(components: Components, counts: dict[str, outcomes.Count], node: Path, seconds: float) -> list[str]:
    return [
        f"{components.kubernetes}/{components.containerd}",
        *(str(counts[name]) for name in SLICES),
        reported_by(node.read_text()) if node.exists() else "did not start",
        f"{seconds / 60:.0f} min",
        f"{datetime.now(UTC):%Y-%m-%d}",
        outcomes.notes(counts),
    ]


def reported_by(node: str) -> str:
    """Return the versions that a node reports, for a cell: `v1.37.2, containerd 2.4.2`."""
    kubelet, runtime = node.split()
    return f"{kubelet}, {runtime.replace('://', ' ').partition('+')[0]}"


def with_row(page: str, row: list[str]) -> str:
    """Return the page with a row that replaces the one of the same pair, in the order of the pairs."""
    rows = rows_of(page, _HEADING) | {row[0]: row}
    last = len(PAIRS)
    ordered = sorted(rows.values(), key=lambda each: PAIRS.index(each[0]) if each[0] in PAIRS else last)
    measured = "`make test-matrix` runs these tests."
    return with_section(page, Section(_HEADING, _EXPLANATION, _HEADER, ordered, measured))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help=f"KUBERNETES/CONTAINERD ({', '.join(PAIRS)})")
    parser.add_argument("--only", action="append", choices=SLICES, help="run this slice; may be given several times")
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose rows are replaced (docs/compatibility.md)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
