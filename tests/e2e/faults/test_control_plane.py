"""Parts of the control plane stop, stall and forget in the middle of a rollout."""

import signal
import time

import httpx
import pytest

from hack.cluster import control_plane, processes
from tests.e2e.conftest import Namespace

from .link import Link
from .operator_process import OperatorProcess
from .scenario import AFTER, Outcome, Rollout, settled

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("embedded")]


def test_the_api_server_is_restarted(namespace: Namespace, undisturbed: Outcome) -> None:
    settled(namespace)
    rollout = Rollout(namespace, AFTER)
    rollout.wait_until_told("worker", "scheduled")
    _restart_api_server()
    assert rollout.outcome() == undisturbed


def test_etcd_is_paused(namespace: Namespace, undisturbed: Outcome) -> None:
    settled(namespace)
    rollout = Rollout(namespace, AFTER)
    rollout.wait_until_told("worker", "scheduled")
    processes.send("etcd", signal.SIGSTOP)
    try:
        time.sleep(20)
    finally:
        processes.send("etcd", signal.SIGCONT)
    assert rollout.outcome() == undisturbed


def test_watches_have_expired(
    namespace: Namespace, operator: OperatorProcess, link: Link, undisturbed: Outcome
) -> None:
    """What happened meanwhile is in no watch any more: only a comparison with a new list can tell."""
    settled(namespace)
    operator.start({**link.environment, "MILL_LOG_LEVEL": "DEBUG"})
    with operator.paused():
        link.end_watches()
        rollout = Rollout(namespace, AFTER)
        namespace.kubectl("delete", "deployment", "old")
        _compact_etcd()
        _restart_api_server()  # otherwise it remembers by itself
    assert rollout.outcome() == undisturbed
    for plural in ("milldeployments", "deployments", "services", "pods"):
        assert f"watch of {plural}: too old resource version" in operator.log


def _restart_api_server() -> None:
    processes.restart("kube-apiserver", grace=1)
    processes.wait_until("kube-apiserver", control_plane.is_ready)


def _compact_etcd() -> None:
    with httpx.Client(base_url=control_plane.ETCD_CLIENTS, timeout=10) as etcd:
        newest = etcd.post("/v3/kv/range", json={"key": "AA=="}).raise_for_status().json()["header"]["revision"]
        etcd.post("/v3/kv/compaction", json={"revision": newest, "physical": True}).raise_for_status()
