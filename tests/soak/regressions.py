"""Programs that exit after their settling window: the rollout stays a success, and what fails later is reported."""

import random
import time
from dataclasses import dataclass
from itertools import product

from mill_cli.errors import Exit
from tests.e2e.conftest import Namespace
from tests.soak.cases import Counted, Soak, count
from tests.soak.page import Section, of
from tests.soak.programs import exiting

DELAYS = (12, 14, 20)
REPORT_SECONDS = 150.0
READ_SECONDS = 3.0
REPORT = "web failed after"
HEADING = "Programs that exit later"
_REPORTS = ("status", "by_history", "by_watch", "by_status")


@dataclass(frozen=True)
class Late:
    """How a program exits."""

    seconds: int
    check: bool


@dataclass(frozen=True)
class Report:
    """Which reports of the failure there are."""

    green: bool
    status: bool = False
    """Whether the MillDeployment's status has it, in `rollout.regressed`."""
    by_history: bool = False
    by_watch: bool = False
    by_status: bool = False


def measure(soak: Soak, repetitions: int, measured: str) -> Section:
    """Run the part."""
    combinations = [Late(*each) for each in product(DELAYS, (False, True))]
    cases = [each for _ in range(repetitions) for each in random.sample(combinations, len(combinations))]
    return section(count(soak, cases, run), measured)


def run(namespace: Namespace, case: Late) -> Report:
    """Deploy the program, wait until it has failed, and read what the commands say."""
    if namespace.deploy(exiting(case.seconds, 1, check=case.check)).code != Exit.SUCCESS:
        return Report(green=False)
    regressed = _has_regressed(namespace)
    history, watch, status = namespace.mill("history"), namespace.mill("watch"), namespace.mill("status")
    return Report(
        green=True,
        status=regressed,
        by_history=f"succeeded, then {REPORT}" in history.stdout,
        by_watch=watch.code == Exit.FAILED and REPORT in watch.stdout,
        by_status=REPORT in status.stdout,
    )


def _has_regressed(namespace: Namespace) -> bool:
    """Wait for a regression in the status. Other cases run meanwhile, so that it is read every few seconds only."""
    deadline = time.monotonic() + REPORT_SECONDS
    while not namespace.status()["rollout"].get("regressed"):
        if time.monotonic() > deadline:
            return False
        time.sleep(READ_SECONDS)
    return True


def section(counted: list[Counted[Late, Report]], measured: str) -> Section:
    """Return the counts for each delay."""
    rows = []
    for delay in DELAYS:
        found = [each.outcome for each in counted if each.case.seconds == delay]
        green = [each for each in found if each.green]
        reports = (of(sum(getattr(each, kind) for each in green), len(green)) for kind in _REPORTS)
        rows.append([f"{delay} s", of(len(green), len(found)), *reports])
    return Section(
        HEADING,
        "The same program, half of the times with a `health` block, exits after its settling window, which is 10 "
        "seconds from the moment at which it is ready. A rollout that has succeeded by then stays a success. The "
        "failure must be in its status (`rollout.regressed`), and each command must report it: `succeeded, then web "
        "failed after …`; `mill watch` also by exit code 1. The last four columns count the rollouts that were green.",
        ("exits after", "green", "in the status", "`mill history`", "`mill watch`", "`mill status`"),
        rows,
        measured,
    )
