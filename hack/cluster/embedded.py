"""A real Kubernetes on a bare Linux machine, without Docker: the components run as processes of this machine.

Each `up` makes its state; only built programs and pushed images are kept. A cluster of which anything has
died (after a reboot, say), or that is of other versions than are asked for, is cleaned away and started afresh.
"""

import json
import time
from collections.abc import Sequence
from functools import partial

from hack import paths
from hack.cluster import (
    cleaning,
    components,
    control_plane,
    dns,
    network,
    nodes,
    packages,
    pki,
    processes,
    registry,
    storage,
    variants,
)
from hack.cluster.handle import Cluster
from hack.cluster.kubectl import kubectl
from hack.cluster.node import Node
from hack.commands import CommandFailed, run
from hack.exclusive import exclusive
from hack.images import pause
from hack.progress import say, step
from hack.toolchain.build import COREDNS, CRANE, ETCD, build

# A kubelet that has started recently lets each probe wait for a random part of its period, so as not to probe
# everything at once. A test must not meet that.
_KUBELET_WARM_UP = 10.0


def up() -> Cluster:
    """Start the cluster unless it runs."""
    with exclusive(paths.LOCK, "up or down"):
        wanted, wanted_nodes, variant = components.wanted(), nodes.wanted(), variants.wanted()
        packages.install()
        build([CRANE, ETCD, COREDNS, *wanted.programs])
        problem = _problem()
        if not problem:
            say("The cluster is already running.")
            return describe()
        if not cleaning.is_clean():
            with step(f"clearing away the last cluster ({problem})"):
                cleaning.clean()
        with step(f"starting {wanted}"):
            components.record(wanted)
            variants.record(variant)
            _start(wanted_nodes)
        return describe()


def down() -> None:
    """Stop the cluster and remove every trace of it but the cache."""
    with exclusive(paths.LOCK, "up or down"):
        if cleaning.is_clean():
            say("No cluster is running.")
            return
        with step("stopping Kubernetes"):
            cleaning.clean()


def status() -> str:
    """Return one line per process, and what is wrong, if anything is."""
    problem = _problem()
    lines = [f"{name:<24} {'running' if processes.is_alive(name) else 'dead'}" for name in processes.names()]
    ready = f"ready, {components.running()}"
    return "\n".join([*lines, f"cluster: {problem or ready}"])


def is_running() -> bool:
    """Whether every part of the cluster runs and its node is ready."""
    return not _problem()


def describe() -> Cluster:
    """Return where the cluster is, running or not."""
    return Cluster("embedded", paths.KUBECONFIG, None, registry.ADDRESS, kubectl())


def _start(wanted: Sequence[Node]) -> None:
    network.create()
    machines = [node.machine for node in wanted if node.machine is not None]
    for machine in machines:
        machine.create()
    control_plane.issue_certificates()
    pki.write_kubeconfig(paths.KUBECONFIG, control_plane.SERVER, "admin")
    storage.prepare()
    for node in wanted:
        node.prepare()
        node.start_runtime()
    registry.start()
    for machine in machines:
        machine.reach(registry.ADDRESS)
    pause.push()
    control_plane.start(nodes.options(wanted), variants.options())
    for node in wanted:
        node.start()
    kubelet_started = time.monotonic()
    dns.start()
    storage.create_default_class(kubectl())
    processes.wait_until(dns.NAME, dns.answers)
    for node in wanted:
        processes.wait_until(f"{node.name}-kubelet", partial(_is_ready, node))
    # Pods are refused until their namespace has its service account.
    processes.wait_until("kube-controller-manager", _service_account_exists)
    time.sleep(max(0.0, kubelet_started + _KUBELET_WARM_UP - time.monotonic()))


def _problem() -> str:
    """Return what keeps the cluster from being usable; empty if nothing does."""
    if not processes.names():
        return "not running"
    if components.running() != components.wanted():
        return f"it is {components.running()}"
    if (found := nodes.running()) != nodes.wanted():
        return f"it has {len(found)} node{'s' * (len(found) != 1)}"
    if variants.running() != variants.wanted():
        return f"it is {variants.running() or 'as usual'}"
    if dead := processes.missing():
        return f"dead: {', '.join(dead)}"
    if not control_plane.is_ready():
        return "the API server is not ready"
    return next((f"{node.name} is not ready" for node in found if not _is_ready(node)), "")


def _is_ready(node: Node) -> bool:
    try:
        found = json.loads(_kubectl("get", "node", node.name, "--output", "json"))
    except CommandFailed:
        return False
    conditions = {condition["type"]: condition["status"] for condition in found["status"]["conditions"]}
    tainted = bool(found["spec"].get("taints"))
    return conditions.get("Ready") == "True" and not tainted


def _service_account_exists() -> bool:
    try:
        _kubectl("get", "serviceaccount", "default")
    except CommandFailed:
        return False
    return True


def _kubectl(*arguments: str) -> str:
    return run(kubectl(), "--kubeconfig", paths.KUBECONFIG, *arguments)
