"""Programs that listen and exit inside their settling window: no rollout of them succeeds, and no old pod is lost."""

import random
import time
from dataclasses import dataclass
from itertools import product

from mill_cli.errors import Exit
from tests.e2e.conftest import Namespace
from tests.soak.cases import Counted, Soak, count
from tests.soak.page import Section, of
from tests.soak.programs import CHECK, exiting, web

DELAYS = (0.5, 1, 2, 3, 5, 8, 9)
OLD_PODS = 2
LATER_SECONDS = 12.0
"""Seconds after the verdict at which old pods are counted: longer than the window, in which none may end either."""
HEADING = "Programs that exit within 10 seconds"


@dataclass(frozen=True)
class Early:
    """How a program exits."""

    seconds: float
    check: bool
    update: bool


@dataclass(frozen=True)
class Verdict:
    """What became of its rollout."""

    code: int
    lost: int
    """Number of old pods that were gone or not ready after the verdict."""


def measure(soak: Soak, repetitions: int, measured: str) -> Section:
    """Run the part."""
    combinations = [Early(*each) for each in product(DELAYS, (False, True), (False, True))]
    cases = [each for _ in range(repetitions) for each in random.sample(combinations, len(combinations))]
    return section(count(soak, cases, run), measured)


def run(namespace: Namespace, case: Early) -> Verdict:
    """Deploy a program that exits, over one that works if it is an update."""
    if not case.update:
        return Verdict(namespace.deploy(exiting(case.seconds, 1, check=case.check)).code, 0)
    good = namespace.deploy(web("1", OLD_PODS, *([CHECK] if case.check else [])))
    assert good.code == 0, good
    old = namespace.ready_pods("web")
    code = namespace.deploy(exiting(case.seconds, OLD_PODS, check=case.check)).code
    time.sleep(LATER_SECONDS)
    return Verdict(code, len(old.keys() - namespace.ready_pods("web").keys()))


def section(counted: list[Counted[Early, Verdict]], measured: str) -> Section:
    """Return the counts for each delay."""
    rows = [_row(delay, [each for each in counted if each.case.seconds == delay]) for delay in DELAYS]
    return Section(
        HEADING,
        "A program listens, is ready, and exits with code 1 after some time, again and again. Its rollout must fail: "
        "the columns count the rollouts that succeeded all the same, and those that ended with neither verdict. In an "
        "update, the two replicas of the version before must keep serving: the last column counts those that were "
        f"gone or not ready {LATER_SECONDS:.0f} seconds after the verdict.",
        (
            "exits after",
            "green: first deploy",
            "with `health`",
            "green: update",
            "with `health`",
            "no verdict",
            "old pods lost",
        ),
        rows,
        measured,
    )


def _row(delay: float, found: list[Counted[Early, Verdict]]) -> list[str]:
    greens = []
    for update, check in product((False, True), (False, True)):
        codes = [each.outcome.code for each in found if (each.case.update, each.case.check) == (update, check)]
        greens.append(of(codes.count(Exit.SUCCESS), len(codes)))
    neither = sum(each.outcome.code not in (Exit.SUCCESS, Exit.FAILED) for each in found)
    updates = [each.outcome for each in found if each.case.update]
    lost = of(sum(each.lost for each in updates), OLD_PODS * len(updates))
    return [f"{delay:g} s", *greens, of(neither, len(found)), lost]
