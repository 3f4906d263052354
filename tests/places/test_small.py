"""A small cluster: few requests at once, no cache of watches, a history of seconds, watches that always end."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hack.cluster import Cluster, variants
from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.faults.link import Link, linked
from tests.e2e.gateway.process import GatewayProcess
from tests.e2e.replica import Replica
from tests.e2e.seed import FIXED, LINES, SEED
from tests.places.behind_link import gateway_behind, operator_behind

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(variants.wanted() != variants.SMALL, reason="needs a small cluster: make test-places"),
]

PAUSE = 1.0
"""Seconds after which all watches are ended again."""
FORGOTTEN = 30.0
"""Seconds after which the API server knows no version that it knew before: twice its compaction, and more."""
WATCHED = 20.0


@pytest.fixture
def way(cluster: Cluster, tmp_path: Path) -> Iterator[Link]:
    """The way to the API server."""
    with linked(cluster, tmp_path) as link:
        yield link


@pytest.fixture
def operator(cluster: Cluster, tmp_path: Path, way: Link, namespace: Namespace) -> Iterator[Replica]:
    """An operator on it."""
    with operator_behind(way, cluster, tmp_path, namespace) as made:
        yield made


@pytest.fixture
def gateway(cluster: Cluster, tmp_path: Path, way: Link, namespace: Namespace) -> Iterator[GatewayProcess]:
    """A gateway on it."""
    with gateway_behind(way, cluster, tmp_path, namespace) as made:
        yield made


@contextmanager
def restless(way: Link) -> Iterator[None]:
    """End all watches again and again while the block runs."""
    over = threading.Event()

    def end() -> None:
        while not over.wait(PAUSE):
            way.end_watches()

    thread = threading.Thread(target=end, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=10)


def asked(operator: Replica, verb: str) -> Counter[str]:
    """Return how often it has asked for each kind."""
    counts: Counter[str] = Counter()
    for (_, resource, each), count in operator.samples("api_requests_total").items():
        if each == verb:
            counts[resource] += int(count)
    return counts


def fine(operator: Replica, gateway: GatewayProcess) -> None:
    assert "Traceback" not in operator.log + gateway.log
    assert operator.sample("reconciles_total", "error") == 0


def test_the_scenario_an_update_and_a_removal_while_watches_end(
    namespace: Namespace, way: Link, operator: Replica, gateway: GatewayProcess
) -> None:
    with restless(way):
        failed = namespace.deploy(SEED)
        assert (failed.stdout, failed.code) == (LINES, 1), failed.stderr
        fixed = namespace.deploy(FIXED)
        assert fixed.code == 0, fixed
        assert "  broken: healthy\n" in fixed.stdout
        without = namespace.deploy(SEED.partition('service "broken"')[0])
        assert without.code == 0, without
        wait_for("its pods to go", lambda: namespace.items("pods", "-l", "mill.dev/service=broken") == [])
        assert namespace.get("deployment", "broken") == {}

        lists, watches = asked(operator, "list"), asked(operator, "watch")
        time.sleep(WATCHED)
        listed, watched = asked(operator, "list") - lists, asked(operator, "watch") - watches
        print(f"in {WATCHED:.0f} s with an end of all watches each {PAUSE:.0f} s: {listed} lists, {watched} watches")
        assert watched
        for kind, count in watched.items():
            assert count >= 5, "each watch is opened again"
            assert listed[kind] * 4 <= count, f"{kind}: listed only when its version is forgotten"
    assert namespace.mill("delete", "--yes").code == 0
    wait_for("all to go", lambda: namespace.items("deployments,services,pods") == [])
    fine(operator, gateway)


def test_what_happens_while_its_version_is_forgotten_is_seen(
    namespace: Namespace, way: Link, operator: Replica, gateway: GatewayProcess
) -> None:
    assert namespace.deploy(FIXED).code == 0
    lists = asked(operator, "list")
    with way.cut():
        namespace.kubectl("delete", "deployment", "broken", "--wait=false")
        namespace.kubectl("set", "image", "deployment/web", f"web={namespace.registry}/web:gone")
        deadline = time.monotonic() + FORGOTTEN
        while time.monotonic() < deadline:  # something has to be written for versions to pass
            namespace.kubectl("annotate", "deployment", "web", "--overwrite", f"passing={time.monotonic()}")
            time.sleep(1)
    wait_for("the Deployment that was deleted", lambda: len(namespace.ready_pods("broken")) == 1)

    def restored() -> bool:
        (container,) = namespace.get("deployment", "web")["spec"]["template"]["spec"]["containers"]
        return str(container["image"]).endswith("/web:1")

    wait_for("the template that was changed", restored)
    wait_for("the verdict", lambda: namespace.condition("Ready").get("status") == "True")
    assert namespace.mill("status").code == 0
    listed = asked(operator, "list") - lists
    print(f"lists after {FORGOTTEN:.0f} s without the API server: {listed}")
    assert max(listed.values()) <= 15, "while it was away: a try that failed each few seconds, less and less often"
    fine(operator, gateway)
