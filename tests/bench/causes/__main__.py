"""How soon Mill names each cause that a node can make, into docs/verdicts.md: `make bench-causes`.

It takes about 13 minutes; `--only tag --only crash --repetitions 2 --minutes 1` measures a part, and replaces its rows.
It needs the local cluster whose node runs as processes of this machine, and pauses the operator
that `make start` started.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hack.cluster import up
from hack.install.crd import install_crd
from tests.bench.causes.cause import Place
from tests.bench.causes.images import push_all
from tests.bench.causes.running import measure
from tests.bench.causes.section import HEADING, section
from tests.bench.causes.table import CAUSES
from tests.bench.faults import measure as measure_faults
from tests.bench.faults import section as section_of_faults
from tests.e2e.faulty_registry import closed_port, faulty_registry
from tests.soak.page import PAGE, measured_before, measured_with, rows_of, with_section
from tests.soak.stack import own_stack


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the page."""
    argv = sys.argv[1:] if arguments is None else arguments
    options = _options().parse_args(argv)
    chosen = [each for each in CAUSES if not options.only or each.name in options.only]
    cluster = up()
    if cluster.kind_of != "embedded":
        print("error: the node of this cluster cannot pull from a registry of this process", file=sys.stderr)
        return 1
    push_all(cluster.registry)
    install_crd(cluster)
    measured = measured_with(cluster, "tests.bench.causes", argv)
    os.environ.update(cluster.environment())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        tempfile.TemporaryDirectory() as folder,
        faulty_registry(cluster.registry) as faulty,
        own_stack(cluster, Path(folder)) as gateway,
    ):
        place = Place(cluster.registry, faulty, closed_port())
        with ThreadPoolExecutor(1) as pool:
            faults = pool.submit(measure_faults, cluster, gateway, Path(folder), 3, 4) if options.faults else None
            found = asyncio.run(measure(cluster, gateway, place, chosen, options.repetitions, 60 * options.minutes))
            page = options.page.read_text()
            if options.only and (before := measured_before(page, HEADING)):
                measured = f"{before} {measured}"
            sections = [section(CAUSES, found, measured, rows_of(page, HEADING) if options.only else {})]
            if faults is not None:
                sections.append(section_of_faults(faults.result(), measured))
    for each in sections:
        print(each, flush=True)
        options.page.write_text(with_section(options.page.read_text(), each))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.causes", description=__doc__)
    names = [each.name for each in CAUSES]
    parser.add_argument("--only", action="append", choices=names, metavar="CAUSE", help=", ".join(names))
    parser.add_argument("--repetitions", type=int, default=10, help="number of times that each cause is deployed (10)")
    parser.add_argument("--minutes", type=float, default=10, help="minutes over which they are spread (10)")
    faults = "measure what bench-faults measures at the same time"
    parser.add_argument("--faults", action="store_true", help=faults)
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose rows are replaced (docs/verdicts.md)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
