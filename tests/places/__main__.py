"""All tests of places: `python -m tests.places`, on the local cluster and on clusters apart, one after the other."""

import argparse
import subprocess
import sys
from typing import Final

from hack.cluster import packages, variants
from hack.cluster.apart import forget, run_apart
from hack.images.mill import build_mill
from hack.install.releases import PREVIOUS, build_release
from hack.progress import say
from hack.toolchain.build import CRANE, HELM, build

FOLDER: Final = "tests/places"
APART: Final = {"air-gap": "", "small": variants.SMALL, "dual-stack": variants.DUAL_STACK}
"""The clusters apart, each with the tests of one file, and their variants."""
_SCRIPT: Final = '"$@"; result=$?; "$1" -m hack.cluster down; exit $result'
"""Runs a command, whose first word is Python, and leaves no cluster behind."""


def main() -> int:
    """Run the tests; return 0 if all of them passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.places", description=__doc__)
    parser.add_argument("places", nargs="*", metavar="PLACE", help=f"usual, {', '.join(APART)}; all by default")
    chosen = parser.parse_args().places or ["usual", *APART]
    if unknown := [each for each in chosen if each != "usual" and each not in APART]:
        parser.error(f"no such place: {', '.join(unknown)}")
    # Apart there is no way to the outside.
    packages.install()
    build([CRANE, HELM])
    build_mill()
    build_release(PREVIOUS)
    codes = {place: _run(place) for place in chosen}
    for place, code in codes.items():
        say(f"{place:<10} {'passed' if code == 0 else 'failed'}")
    return max(codes.values())


def _run(place: str) -> int:
    if place == "usual":
        return subprocess.run(_pytest(FOLDER), check=False).returncode
    name, file = f"places-{place}", f"{FOLDER}/test_{place.replace('-', '_')}.py"
    try:
        return run_apart(name, ("sh", "-c", _SCRIPT, "sh", *_pytest(file)), {variants.VARIABLE: APART[place]})
    finally:
        forget(name)


def _pytest(what: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pytest", "-q", "-s", "--timeout", "600", "--durations", "10", what)


if __name__ == "__main__":
    sys.exit(main())
