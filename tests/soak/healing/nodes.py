"""What happens to a node and its pods: cordons, restarts, a slow container runtime, evictions."""

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from hack.cluster import processes
from tests.e2e.conftest import wait_for
from tests.soak.healing.scenario import Group, healing, service
from tests.support.http_servers import serving

KUBELET: Final = "node-1-kubelet"
RUNTIME: Final = "node-1-containerd"
_NODE: Final = "node-1"
_DUTY: Final = 0.04
"""The share of the time for which a slow container runtime runs."""
_BEAT_SECONDS: Final = 1.0


@contextmanager
def cordoned(group: Group) -> Iterator[None]:
    """Have no node that takes pods."""
    group.namespace.kubectl("cordon", _NODE)
    with healing(group.heal_seconds, lambda: group.namespace.kubectl("uncordon", _NODE)):
        yield


@contextmanager
def kubelet_restarted(group: Group) -> Iterator[None]:
    """Restart the kubelet again and again."""
    with _again_and_again(group, KUBELET):
        yield


@contextmanager
def runtime_restarted(group: Group) -> Iterator[None]:
    """Restart the container runtime again and again."""
    with _again_and_again(group, RUNTIME):
        yield


@contextmanager
def _again_and_again(group: Group, name: str) -> Iterator[None]:
    def restart() -> None:
        ends_at = time.monotonic() + group.heal_seconds
        while time.monotonic() < ends_at:
            time.sleep(random.uniform(1, 6))
            processes.restart(name)

    with _beside(restart):
        yield
    _wait_for_node(group)


@contextmanager
def slow_runtime(group: Group) -> Iterator[None]:
    """Let the container runtime run for a small share of the time, as with a disk that is too slow."""

    def slow_down() -> None:
        ends_at = time.monotonic() + group.heal_seconds
        while time.monotonic() < ends_at:
            with _paused():
                time.sleep((1 - _DUTY) * _BEAT_SECONDS)
            time.sleep(_DUTY * _BEAT_SECONDS)

    with _beside(slow_down):
        yield


@contextmanager
def stalled_runtime(group: Group) -> Iterator[None]:
    """Have a container runtime that does nothing for longer than the kubelet waits for it, which is two minutes."""

    def stall() -> None:
        time.sleep(1)  # pods have been placed, and are being created
        with _paused():
            time.sleep(group.heal_seconds)

    with _beside(stall):
        yield
    _wait_for_node(group)


@contextmanager
def _paused() -> Iterator[None]:
    processes.send(RUNTIME, signal.SIGSTOP)
    try:
        yield
    finally:
        processes.send(RUNTIME, signal.SIGCONT)


@contextmanager
def evicted_by_api(group: Group) -> Iterator[None]:
    """Evict each service's first pod as soon as it is placed, as a drain does."""

    def evict() -> None:
        wait_for("pods", lambda: all(group.namespace.pods(name) for name in group.names))
        time.sleep(random.uniform(0, group.heal_seconds))
        for name in group.names:
            for pod in group.namespace.pods(name)[:1]:
                _evict(group, pod["metadata"]["name"])

    with _beside(evict):
        yield


def _evict(group: Group, pod: str) -> None:
    space = group.namespace.name
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": space}}
    path = f"/api/v1/namespaces/{space}/pods/{pod}/eviction"
    group.namespace.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def fills_its_disk_once(group: Group, name: str) -> str:
    """Return a service whose first pod uses more storage than its limit, so that the kubelet evicts it.

    The kubelet measures volumes once a minute: the settling window is longer.
    """
    ask = f"wget -q -O- http://{group.address}/{name}"
    script = f"if {ask} | grep -q fill; then dd if=/dev/zero of=/scratch/x bs=1M count=4; fi; exec sleep 3600"
    return service(
        group,
        name,
        f'command = ["sh", "-c", "{script}"]',
        'volume "scratch" {\n    path = "/scratch"\n    ephemeral = true\n    size = "1Mi"\n  }',
        'update { settle = "100s" }',
        image="busybox:1",
        port=None,
    )


class _First(BaseHTTPRequestHandler):
    """Answers `fill` to the first request of each path."""

    asked: Final[set[str]] = set()

    def do_GET(self) -> None:
        """Answer a request."""
        body = b"no" if self.path in self.asked else b"fill"
        self.asked.add(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextmanager
def first_pod_fills(group: Group) -> Iterator[None]:
    """Tell the first pod of each service to use too much storage."""
    host, _, port = group.address.rpartition(":")
    _First.asked.difference_update({f"/{name}" for name in group.names})
    with serving(ThreadingHTTPServer((host, int(port)), _First)):
        yield
    events = group.namespace.items("events", "--field-selector", "reason=Evicted")
    evicted = [each["involvedObject"]["name"] for each in events]
    assert all(any(pod.startswith(f"{name}-") for pod in evicted) for name in group.names), f"evicted: {evicted}"


@contextmanager
def _beside(work: Any) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _wait_for_node(group: Group) -> None:
    ready = group.namespace.cluster.kubectl_command("wait", "--for=condition=Ready", f"node/{_NODE}", "--timeout=120s")
    subprocess.run(ready, check=True, capture_output=True, timeout=150)
