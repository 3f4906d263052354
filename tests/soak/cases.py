"""Cases that run in parallel, each in a namespace of its own, until the soak's time is over."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from hack.cluster import Cluster
from tests.e2e.conftest import Namespace, new_namespace

Case = TypeVar("Case")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Soak:
    """What all parts of a soak share."""

    cluster: Cluster
    gateway: str
    parallel: int
    """Number of cases that run at once."""
    ends_at: float
    """Time on the monotonic clock after which no case begins."""

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() > self.ends_at


@dataclass(frozen=True)
class Counted(Generic[Case, Outcome]):
    """A case that was run to its end."""

    case: Case
    outcome: Outcome


def count(
    soak: Soak, cases: Iterable[Case], run: Callable[[Namespace, Case], Outcome], parallel: int | None = None
) -> list[Counted[Case, Outcome]]:
    """Run cases in parallel and return those that came to their end.

    A case that could not be measured, such as one whose command hangs, is reported on standard error and left out.
    """

    def measure(case: Case) -> Counted[Case, Outcome] | None:
        if soak.is_over:
            return None
        try:
            with (
                tempfile.TemporaryDirectory() as folder,
                new_namespace(soak.cluster, Path(folder), "soak", soak.gateway) as namespace,
            ):
                found = Counted(case, run(namespace, case))
        except (AssertionError, subprocess.TimeoutExpired) as error:
            print(f"not measured: {case}: {error}", file=sys.stderr, flush=True)
            return None
        print(f"{case}: {found.outcome}", file=sys.stderr, flush=True)
        return found

    with ThreadPoolExecutor(parallel or soak.parallel) as pool:
        return [found for found in pool.map(measure, cases) if found is not None]
