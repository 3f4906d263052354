"""What people mistype in their first hour, and what Mill says, and when, into docs/mistakes.md: `make bench-mistakes`.

Every mistake is made once, by the real `mill` or kubectl without a terminal, against a gateway and an operator of this
bench with the settling window that users have. It fails if an answer has another exit code, or not the text that it
must have. The operator that `make start` started is paused.
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from hack import images
from hack.cluster import node_images, up
from hack.install.crd import install_crd
from tests.bench.mistakes.cluster import CLUSTER
from tests.bench.mistakes.commands import ADDRESSES, COMMANDS
from tests.bench.mistakes.files import FILES
from tests.bench.mistakes.programs import PROGRAMS
from tests.bench.mistakes.running import bench, measure
from tests.bench.mistakes.sections import section
from tests.soak.page import measured_with, with_section
from tests.soak.stack import own_stack

PAGE: Final = Path(__file__).parents[3] / "docs" / "mistakes.md"
CHAPTERS: Final = {
    "files": FILES,
    "commands": COMMANDS,
    "addresses": ADDRESSES,
    "programs": PROGRAMS,
    "cluster": CLUSTER,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the page, and return 1 if an answer is not as it must be."""
    argv = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mistakes", description=__doc__)
    parser.add_argument("--only", action="append", choices=CHAPTERS, help="measure only this section")
    parser.add_argument("--parallel", type=int, default=12, help="number of slow mistakes at once (12)")
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose sections are replaced (docs/mistakes.md)")
    options = parser.parse_args(argv)
    chapters = [each for name, each in CHAPTERS.items() if not options.only or name in options.only]
    began = time.monotonic()
    cluster = up()
    for tag in ("1", "2"):
        node_images.forget(images.push_sample(cluster.registry, tag))
    install_crd(cluster)
    measured = measured_with(cluster, "tests.bench.mistakes", argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        tempfile.TemporaryDirectory() as folder,
        own_stack(cluster, Path(folder)) as gateway,
        bench(cluster, Path(folder), gateway) as shared,
    ):
        made = measure(shared, chapters, options.parallel)
    for each in chapters:
        result = section(each, made, measured)
        print(result, flush=True)
        options.page.write_text(with_section(options.page.read_text(), result))
    wrong = {each.mistake.title: each.problem for each in made if each.problem}
    wrong |= dict.fromkeys(
        {each.title for chapter in chapters for each in chapter.mistakes} - {each.mistake.title for each in made},
        "not measured",
    )
    for title, problem in wrong.items():
        print(f"error: {title}: {problem}", file=sys.stderr)
    print(f"{len(made)} mistakes in {time.monotonic() - began:.0f} s, {len(wrong)} wrong", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
