"""Groups of rollouts, each in a namespace of its own: first those that may run at once, then those that may not."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import httpx

from hack.cluster import Cluster, network
from tests.e2e.conftest import Namespace, free_port, new_namespace
from tests.soak.healing.following import Followed, follow
from tests.soak.healing.scenario import Group, Scenario
from tests.soak.stack import own_stack

_JITTER_SECONDS: Final = 3.0
_OBJECTS: Final = "milldeployments,deployments,replicasets,pods,persistentvolumeclaims,events"


@dataclass(frozen=True)
class Part:
    """A group of rollouts that is still to be run."""

    scenario: Scenario
    number: int
    rollouts: int

    @property
    def heal_seconds(self) -> float:
        """When the fault is over."""
        times = self.scenario.heal_seconds
        return times[self.number % len(times)]


@dataclass(frozen=True)
class Outcome:
    """What became of one rollout."""

    scenario: str
    heal_seconds: float
    followed: Followed


def parts(scenario: Scenario, rollouts: int) -> Iterator[Part]:
    """Divide the rollouts of a scenario into groups."""
    for number, first in enumerate(range(0, rollouts, scenario.group_size)):
        yield Part(scenario, number, min(scenario.group_size, rollouts - first))


class Runner:
    """Runs groups against one cluster, and keeps what explains a failure."""

    def __init__(self, cluster: Cluster, folder: Path, recordings: Path, parallel: int, ends_at: float) -> None:
        self._cluster = cluster
        self._folder = folder
        self._recordings = recordings
        self._parallel = parallel
        self._ends_at = ends_at

    def run(self, wanted: Sequence[Part]) -> Iterator[Outcome]:
        """Run groups under the operators that they need, those of the node last. At the end no group begins."""
        for settings, of_settings in groupby(
            sorted(wanted, key=lambda each: sorted(each.scenario.settings.items()), reverse=True),
            key=lambda each: dict(each.scenario.settings),
        ):
            together = list(of_settings)
            with own_stack(self._cluster, self._folder, **settings) as gateway:
                yield from self._run(gateway, [each for each in together if not each.scenario.is_of_node])
                for each in together:
                    if each.scenario.is_of_node:
                        yield from self._run(gateway, [each])

    def _run(self, gateway: str, wanted: Sequence[Part]) -> Iterator[Outcome]:
        slowest_first = sorted(wanted, key=lambda each: -each.heal_seconds)
        with ThreadPoolExecutor(self._parallel) as pool:
            for outcomes in pool.map(lambda each: self._group(gateway, each), slowest_first):
                yield from outcomes

    def _group(self, gateway: str, part: Part) -> list[Outcome]:
        """Run one group. What could not be measured is reported on standard error and left out."""
        scenario, began = part.scenario, time.monotonic()
        if began > self._ends_at:
            print(f"left out, the time is over: {scenario.name}", file=sys.stderr, flush=True)
            return []
        try:
            with (
                new_namespace(self._cluster, self._folder, "heal", gateway) as namespace,
                self._registry(part) as registry,
            ):
                names = tuple(f"{namespace.name}-{number}" for number in range(part.rollouts))
                address = f"{network.GATEWAY}:{free_port()}"
                group = Group(part.number, namespace, names, part.heal_seconds, registry, address)
                found = self._rollouts(scenario, group)
                if not all(each.green for each in found):
                    self._record(scenario, namespace)
        except (AssertionError, subprocess.SubprocessError, httpx.HTTPError, OSError) as error:
            print(f"not measured: {scenario.name}: {error!r}", file=sys.stderr, flush=True)
            return []
        took = time.monotonic() - began
        print(f"{scenario.name} ({part.heal_seconds:g} s), {took:.0f} s: {found}", file=sys.stderr, flush=True)
        return [Outcome(scenario.name, part.heal_seconds, each) for each in found]

    @contextmanager
    def _registry(self, part: Part) -> Iterator[str]:
        registry = part.scenario.registry
        real = self._cluster.registry
        with nullcontext(real) if registry is None else registry(real, part.heal_seconds) as address:
            yield address

    def _rollouts(self, scenario: Scenario, group: Group) -> list[Followed]:
        space = group.namespace

        def roll_out(name: str, text: str, jitter: float) -> Followed:
            time.sleep(random.uniform(0, jitter))
            return follow(space.gateway, space.name, name, text)

        with ThreadPoolExecutor(len(group.names)) as pool:
            if scenario.before is not None:
                before = scenario.before
                first = list(pool.map(lambda name: roll_out(name, before(group, name), 0), group.names))
                assert all(each.green for each in first), f"the version before: {first}"
            with scenario.fault(group):
                return list(
                    pool.map(lambda name: roll_out(name, scenario.text(group, name), _JITTER_SECONDS), group.names)
                )

    def _record(self, scenario: Scenario, namespace: Namespace) -> None:
        """Keep the objects of a namespace in which a rollout was not green, as `mill-operator judge` reads them."""
        self._recordings.mkdir(parents=True, exist_ok=True)
        file = self._recordings / f"{namespace.name}.yaml"
        file.write_text(f"# {scenario.name}\n" + namespace.kubectl("get", _OBJECTS, "-o", "yaml", check=False))
        print(f"{scenario.name}: not green, recorded in {file}", file=sys.stderr, flush=True)
