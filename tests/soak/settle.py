"""Counts of verdicts, written into docs/verdicts.md: `make soak-settle`.

All parts take hours; `--only exits --repetitions 3` runs one of them, with fewer repetitions, and replaces its section
of the page alone. The soak runs an operator with the default settling window and a gateway of its own, and pauses the
operator that `make start` started. After `--minutes` no case begins, and the page has the counts until then.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hack import images
from hack.cluster import node_images, up
from hack.install.crd import install_crd
from hack.progress import step
from tests.soak import dependants, exits, regressions, unschedulable, updates
from tests.soak.cases import Soak
from tests.soak.page import PAGE, Section, measured_with, with_section
from tests.soak.stack import own_stack

Measure = Callable[[Soak, int, str], Section]
PARTS: Final[dict[str, tuple[Measure, int]]] = {
    "exits": (exits.measure, 10),
    "later": (regressions.measure, 10),
    "dependants": (dependants.measure, 20),
    "unschedulable": (unschedulable.measure, 3),
    "updates": (updates.measure, 100),
}
"""By name: what runs a part, and how often it is repeated."""


def main(arguments: list[str] | None = None) -> int:
    """Run the parts and write the page after each."""
    argv = sys.argv[1:] if arguments is None else arguments
    options = _options().parse_args(argv)
    cluster = up()
    for tag in ("1", "2"):
        node_images.forget(images.push_sample(cluster.registry, tag))
    install_crd(cluster)
    measured = measured_with(cluster, "tests.soak.settle", argv)
    ends_at = time.monotonic() + 60 * options.minutes
    # A soak that is ended leaves neither its operator nor its namespaces.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder, own_stack(cluster, Path(folder)) as gateway:
        soak = Soak(cluster, gateway, options.parallel, ends_at)
        for name in options.only or PARTS:
            if soak.is_over:
                print(f"{name}: left out, the time is over", file=sys.stderr)
                continue
            measure, usual = PARTS[name]
            with step(name):
                section = measure(soak, _repetitions(name, usual, options), measured)
            options.page.write_text(with_section(options.page.read_text(), section))
            print(section, flush=True)
    return 0


def _repetitions(name: str, usual: int, options: argparse.Namespace) -> int:
    given = options.updates if name == "updates" else options.repetitions
    return usual if given is None else int(given)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.settle", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="run this part; may be given several times")
    parser.add_argument("--repetitions", type=int, help="number of times that each case is run, updates aside")
    parser.add_argument("--updates", type=int, help="number of good updates of each kind")
    parser.add_argument("--parallel", type=int, default=12, help="number of cases that run at once (12)")
    parser.add_argument("--minutes", type=float, default=180, help="minutes after which no case begins (180)")
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose sections are replaced (docs/verdicts.md)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
