"""Good updates of two replicas under load, next to bare Deployments that run at the same time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mill_cli.errors import Exit
from tests.bench import bare
from tests.e2e.conftest import Namespace
from tests.soak.cases import Counted, Soak, count
from tests.soak.load import Load, load
from tests.soak.page import NOTHING, Section, of
from tests.soak.programs import CHECK, web

LANES = 4
"""Number of services of each kind that are updated at the same time."""
RATE = 50
"""Requests per second to each of them."""
AFTER_SECONDS = 12.0
"""Seconds after the last update in which the last old pod leaves."""
HEADING = "Good updates under load"


@dataclass(frozen=True)
class Lane:
    """A service that is updated so often, one after the other."""

    kind: str
    updates: int


@dataclass
class Dropped:
    """What became of the updates of a lane."""

    updates: int = 0
    green: int = 0
    load: Load = field(default_factory=Load)


def measure(soak: Soak, updates: int, measured: str) -> Section:
    """Run the part."""
    shares = [updates // LANES + (number < updates % LANES) for number in range(LANES)]
    lanes = [Lane(kind, share) for share in shares if share for kind in RUNS]

    def run(namespace: Namespace, lane: Lane) -> Dropped:
        return RUNS[lane.kind](soak, namespace, lane)

    return section(count(soak, lanes, run, 2 * LANES), measured)


def by_mill(soak: Soak, namespace: Namespace, lane: Lane) -> Dropped:
    """Update a service by `mill deploy`."""

    def update(number: int) -> bool:
        return namespace.deploy(web(str(number % 2 + 1), 2, CHECK)).code == Exit.SUCCESS

    assert update(0), "the first version"
    return _under_load(soak, namespace, "web", lane.updates, update)


def by_hand(soak: Soak, namespace: Namespace, lane: Lane) -> Dropped:
    """Update a Deployment of the same pod template, without the sleep before the stop, by kubectl."""
    first = namespace.deploy(web("1", 2, CHECK))
    assert first.code == Exit.SUCCESS, first
    objects = [_bare(namespace.get(kind, "web")) for kind in ("deployment", "service")]
    namespace.kubectl("delete", "milldeployment", "mill")
    for each in objects:
        namespace.kubectl("apply", "-f", "-", stdin=each)
    namespace.kubectl("rollout", "status", "deployment/bare", "--timeout=120s")

    def update(number: int) -> bool:
        image = f"{namespace.registry}/web:{number % 2 + 1}"
        namespace.kubectl("set", "image", "deployment/bare", f"web={image}")
        namespace.kubectl("rollout", "status", "deployment/bare", "--timeout=120s")
        return True

    return _under_load(soak, namespace, "bare", lane.updates, update)


RUNS: dict[str, Callable[[Soak, Namespace, Lane], Dropped]] = {"Mill": by_mill, "bare Deployments": by_hand}


def section(counted: list[Counted[Lane, Dropped]], measured: str) -> Section:
    """Return the counts of both kinds."""
    rows = []
    for kind in RUNS:
        found = [each for each in counted if each.case.kind == kind]
        total = Load()
        for each in found:
            total.add(each.outcome.load)
        updates = sum(each.outcome.updates for each in found)
        green = of(sum(each.outcome.green for each in found), updates)
        causes = ", ".join(f"{cause} {times}" for cause, times in total.failures.most_common()) or NOTHING
        row = [kind, green, f"{total.requests:,}", total.failures.total(), causes]
        rows.append(row if found else [kind, *[NOTHING] * 4])
    return Section(
        HEADING,
        f"Two replicas are updated to another good version again and again, {LANES} services of each kind at once, "
        f"under {RATE}\nrequests per second through each Service, each request over a new connection. The bare "
        "Deployments have the same pod template without the sleep before the stop, Kubernetes' defaults for the "
        "update, and run at the same time. The sample program stops accepting connections at SIGTERM.",
        ("", "green", "requests", "failed", "causes"),
        rows,
        measured,
    )


def _under_load(soak: Soak, namespace: Namespace, service: str, updates: int, update: Callable[[int], bool]) -> Dropped:
    address = namespace.get("service", service)["spec"]["clusterIP"]
    time.sleep(2)  # kube-proxy may not have the endpoints yet
    dropped = Dropped()
    with load(address, 8080, RATE) as dropped.load:
        for number in range(1, updates + 1):
            if soak.is_over:
                break
            dropped.green += update(number)
            dropped.updates += 1
        time.sleep(AFTER_SECONDS)
    return dropped


def _bare(body: dict[str, Any]) -> str:
    """Return a Deployment or Service of no owner that keeps only what a person would write."""
    spec = body["spec"]
    if body["kind"] == "Deployment":
        pod = {key: value for key, value in spec["template"]["spec"].items() if key != "terminationGracePeriodSeconds"}
        pod["containers"] = [
            {key: value for key, value in each.items() if key != "lifecycle"} for each in pod["containers"]
        ]
        template = {"metadata": {"labels": spec["template"]["metadata"]["labels"]}, "spec": pod}
        spec = {"replicas": spec["replicas"], "selector": spec["selector"], "template": template}
    else:
        spec = {"selector": spec["selector"], "ports": spec["ports"]}
    named = {"name": "bare", "labels": body["metadata"]["labels"]}
    return bare.renamed({"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": named, "spec": spec}, {})
