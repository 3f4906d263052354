"""Rollouts during faults that heal by themselves, into docs/verdicts.md: `make soak-healing`.

It takes about 20 minutes on two cores; `--only webhook --rollouts 2` runs the faults whose names have that word, with
fewer rollouts, and replaces their rows. It needs the local cluster whose node runs as processes of this machine, and
pauses the operator that `make start` started.
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from hack import images, paths
from hack.cluster import Cluster, node_images, up
from hack.images.sample import push_large
from hack.install.crd import install_crd
from tests.soak.healing.running import Runner, parts
from tests.soak.healing.scenarios import SCENARIOS
from tests.soak.healing.section import HEADING, section
from tests.soak.healing.starts import LARGE_IMAGES, LARGE_MEGABYTES
from tests.soak.page import PAGE, measured_before, measured_with, rows_of, with_section


def main(arguments: list[str] | None = None) -> int:
    """Run the groups, and write the page."""
    argv = sys.argv[1:] if arguments is None else arguments
    options = _options().parse_args(argv)
    chosen = [each for each in SCENARIOS if not options.only or any(word in each.name for word in options.only)]
    cluster = up()
    if cluster.kind_of != "embedded":
        print("error: the node of this cluster is not ours to stop", file=sys.stderr)
        return 1
    _push_images(cluster, large=any("pull" in each.name for each in chosen))
    install_crd(cluster)
    measured = measured_with(cluster, "tests.soak.healing", argv)
    wanted = [part for each in chosen for part in parts(each, options.rollouts or each.rollouts)]
    # A soak that is ended leaves neither its operator nor its namespaces.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        ends_at = time.monotonic() + 60 * options.minutes
        runner = Runner(cluster, Path(folder), options.recordings, options.parallel, ends_at)
        outcomes = list(runner.run(wanted))
    page = options.page.read_text()
    if options.only and (before := measured_before(page, HEADING)):
        measured = f"{before} {measured}"
    found = section(
        outcomes, [each.name for each in SCENARIOS], measured, rows_of(page, HEADING) if options.only else {}
    )
    print(found, flush=True)
    options.page.write_text(with_section(page, found))
    return 0


def _push_images(cluster: Cluster, *, large: bool) -> None:
    for tag in ("1", "2"):
        node_images.forget(images.push_sample(cluster.registry, tag))
    images.push_busybox(cluster.registry, "1")
    for tag in LARGE_IMAGES if large else ():
        node_images.forget(push_large(cluster.registry, f"{tag}-{LARGE_MEGABYTES}M", LARGE_MEGABYTES))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.healing", description=__doc__)
    parser.add_argument("--only", action="append", metavar="WORD", help="run the faults whose names have this word")
    parser.add_argument("--rollouts", type=int, help="number of rollouts of each fault")
    parser.add_argument("--parallel", type=int, default=6, help="number of groups of five that run at once (6)")
    parser.add_argument("--minutes", type=float, default=60, help="minutes after which no group begins (60)")
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose rows are replaced (docs/verdicts.md)")
    recordings = paths.CACHE / "recordings"
    help_text = f"folder for the objects of rollouts that are not green ({recordings})"
    parser.add_argument("--recordings", type=Path, default=recordings, help=help_text)
    return parser


if __name__ == "__main__":
    sys.exit(main())
