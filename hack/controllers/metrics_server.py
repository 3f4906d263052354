"""A real metrics-server behind the API server, which asks the kubelets what pods use."""

import json
import ssl
from typing import Any, Final

from hack import paths
from hack.cluster import Cluster, network, pki, readiness
from hack.cluster.processes import Daemon, wait_until
from hack.commands import CommandFailed, run
from hack.controllers.beside import embedded
from hack.gitops import guests
from hack.progress import step
from hack.toolchain.build import METRICS_SERVER, build

API: Final = "v1beta1.metrics.k8s.io"
_NAME: Final = "metrics-server"
_PORT: Final = 14443
_EVERY: Final = "15s"
"""How often it asks; the least that it takes is 10s."""


def up(cluster: Cluster) -> None:
    """Start it, and return when it knows what the nodes use."""
    embedded(cluster, _NAME)
    build([METRICS_SERVER])
    down(cluster)
    with step("starting metrics-server"):
        (paths.CLUSTER / _NAME).mkdir(exist_ok=True)
        guests.start_all([(_daemon(), _PORT)])
        guests.apply(cluster, _service())
        wait_until(_NAME, lambda: _is_reached(cluster))
        guests.apply(cluster, [_api_service()])
        wait_until(_NAME, lambda: _knows_nodes(cluster), seconds=120)


def down(cluster: Cluster) -> None:
    """End it, and take its API away first: a namespace cannot go while an API does not answer."""
    guests.remove(cluster, [f"apiservice/{API}"])
    run(*cluster.kubectl_command("--namespace", "kube-system", "delete", "service", _NAME, "--ignore-not-found"))
    guests.end_all([(_daemon(), _PORT)])


def _daemon() -> Daemon:
    kubeconfig = paths.KUBECONFIG
    options = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        # The bridge, where the API server reaches it and the outside does not.
        "bind-address": network.GATEWAY,
        "secure-port": _PORT,
        "cert-dir": paths.CLUSTER / _NAME,
        "kubelet-preferred-address-types": "InternalIP",
        "kubelet-certificate-authority": pki.certificate("ca"),
        "metric-resolution": _EVERY,
    }
    argv = (str(METRICS_SERVER.path), *(f"--{option}={value}" for option, value in options.items()))
    return Daemon(_NAME, argv, guest=True)


def _service() -> list[dict[str, Any]]:
    """Return a Service that leads to the process, and its endpoint."""
    about = {"name": _NAME, "namespace": "kube-system"}
    ports = [{"name": "https", "port": 443, "targetPort": _PORT}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": {"ports": ports}}
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**about, "labels": {"kubernetes.io/service-name": _NAME}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [network.GATEWAY], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": _PORT}],
    }
    return [service, slice_]


def _api_service() -> dict[str, Any]:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": API},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": _NAME, "namespace": "kube-system"},
        },
    }


def _is_reached(cluster: Cluster) -> bool:
    """Whether the address of the Service leads to the process.

    Until kube-proxy has its rule, the address leads out of this machine. An API server that has a connection from then
    keeps it, with whatever answers there.
    """
    where = ("--namespace", "kube-system", "get", "service", _NAME, "--output", "jsonpath={.spec.clusterIP}")
    address = run(*cluster.kubectl_command(*where))
    anyone = ssl.create_default_context()  # its certificate is one that it has made itself
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    return readiness.answers(f"https://{address}/readyz", anyone)


def _knows_nodes(cluster: Cluster) -> bool:
    try:
        answer = run(*cluster.kubectl_command("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"))
    except CommandFailed:
        return False
    return bool(json.loads(answer)["items"])
