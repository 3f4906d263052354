"""`python -m tests.fuzz`: tries all targets, or some, and ends with 1 if something does not hold."""

import argparse
import os
import sys
import time
from pathlib import Path

from tests.fuzz.runner import HANG_SECONDS, Run, run, saved
from tests.fuzz.target import input_of
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import attempt

FOLDER = Path(__file__).parents[2] / "build" / "fuzz"


def main(arguments: list[str] | None = None) -> int:
    """Try, and print what came of it."""
    given = _options().parse_args(arguments)
    known = {each.name: each for each in TARGETS}
    names = given.targets.split(",") if given.targets else list(known)
    if unknown := [each for each in names if each not in known]:
        print(f"no such target: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    targets = [known[each] for each in names]
    if given.input is not None:
        for target in targets:
            value = input_of(target, given.seed, given.input)
            print(f"{target.name}: {value!r}\n{attempt(target, value) or 'good'}")
        return 0
    started = time.monotonic()
    result = run(targets, Run(given.inputs, given.seed, given.jobs, given.seconds, given.hang))
    for target in targets:
        count, busy = result.inputs[target.name], result.busy[target.name] / 1000
        print(f"{target.name:<42} {count:>9,} inputs {count / busy if busy else 0:>9,.0f} /s of CPU")
    print(f"{sum(result.inputs.values()):,} inputs in {time.monotonic() - started:.0f} s, seed {given.seed}")
    for failure in result.failures:
        path = saved(failure, FOLDER)
        print(f"FAILED {failure.target}, input {failure.number}: {failure.message}")
        print(f"  saved: {path}")
        again = f"--targets {failure.target} --seed {failure.seed} --input {failure.number}"
        print(f"  again: python -m tests.fuzz {again}")
    return 1 if result.failures else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, metavar="N", help="of each target (1,000,000)")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after this time, whatever was tried by then")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed makes other inputs (1)")
    parser.add_argument("--targets", metavar="A,B", help=f"of {', '.join(each.name for each in TARGETS)} (all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (one a core)")
    parser.add_argument("--hang", type=float, default=HANG_SECONDS, metavar="S", help=f"a hang ({HANG_SECONDS:g} s)")
    parser.add_argument("--input", type=int, metavar="N", help="show and try this one only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
