"""etcd, the API server, the controller manager and the scheduler, as ordinary processes of the machine."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Final

from hack import paths
from hack.cluster import audit, components, network, pki, processes, readiness
from hack.cluster.processes import Daemon
from hack.toolchain.build import ETCD

SERVER: Final = f"https://{network.GATEWAY}:6443"
_LOOPBACK: Final = "127.0.0.1"
ETCD_CLIENTS: Final = f"http://{_LOOPBACK}:2379"
_ETCD_PEERS: Final = f"http://{_LOOPBACK}:2380"

Options = Mapping[str, object]
Overrides = Mapping[str, Options]
"""Options by the names of components: beside the usual ones, or instead of them."""

_AGGREGATOR: Final = "front-proxy-client"

# The controllers and the scheduler hold themselves back to 20 and 50 requests per second by default. With thousands of
# Deployments that brake would be all that a bench measures, and would hide what an operator adds to it.
_NO_BRAKE: Final[Options] = {"kube-api-qps": 2000, "kube-api-burst": 4000}


def issue_certificates() -> None:
    """Issue what the control plane, the administrator and kube-proxy need; nodes ask for theirs themselves."""
    pki.create_authority()
    pki.issue_server(
        "kube-apiserver",
        # Pods reach it by the first service address, the host by the bridge, a tunnel by loopback.
        (network.GATEWAY, network.FIRST_SERVICE, _LOOPBACK),
        (
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
        ),
    )
    pki.issue_client("kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
    pki.issue_client("admin", "kubernetes-admin", "system:masters")
    pki.issue_client(_AGGREGATOR, _AGGREGATOR)
    for component in ("kube-controller-manager", "kube-scheduler", "kube-proxy"):
        pki.issue_client(component, f"system:{component}")
        pki.write_kubeconfig(paths.CLUSTER / f"{component}.kubeconfig", SERVER, component)


def start(*overrides: Overrides) -> None:
    """Start everything, and return when the API server is ready."""
    processes.start(_etcd(overrides))
    processes.wait_until("etcd", lambda: readiness.answers(f"{ETCD_CLIENTS}/readyz"))
    processes.start(_apiserver(overrides))
    processes.wait_until("kube-apiserver", is_ready)
    processes.start(_controller_manager(overrides))
    processes.start(_scheduler(overrides))


def is_ready() -> bool:
    """Whether the API server serves."""
    authority = pki.certificate("ca")
    trust = ssl.create_default_context(cafile=authority) if authority.exists() else None
    return readiness.answers(f"{SERVER}/readyz", trust)


def _etcd(overrides: Sequence[Overrides]) -> Daemon:
    options = {
        "data-dir": paths.CLUSTER / "etcd",
        "listen-client-urls": ETCD_CLIENTS,
        "advertise-client-urls": ETCD_CLIENTS,
        "listen-peer-urls": _ETCD_PEERS,
        "initial-advertise-peer-urls": _ETCD_PEERS,
        "initial-cluster": f"default={_ETCD_PEERS}",
        # A cluster that starts from nothing each time has nothing to lose in a power cut.
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }
    return _daemon("etcd", str(ETCD.path), options, overrides)


def _apiserver(overrides: Sequence[Overrides]) -> Daemon:
    options = {
        # Listens where pods can reach it and the outside cannot: the bridge.
        "bind-address": network.GATEWAY,
        "advertise-address": network.GATEWAY,
        "secure-port": 6443,
        "etcd-servers": ETCD_CLIENTS,
        "service-cluster-ip-range": network.services(),
        "authorization-mode": "Node,RBAC",
        # The last two act on namespaces that ask for it by an annotation: those whose pods go to fake nodes.
        "enable-admission-plugins": "NodeRestriction,PodNodeSelector,PodTolerationRestriction",
        "allow-privileged": "true",
        "client-ca-file": pki.certificate("ca"),
        "tls-cert-file": pki.certificate("kube-apiserver"),
        "tls-private-key-file": pki.key("kube-apiserver"),
        "kubelet-certificate-authority": pki.certificate("ca"),
        "kubelet-client-certificate": pki.certificate("kubelet-client"),
        "kubelet-client-key": pki.key("kubelet-client"),
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": paths.PKI / "service-accounts.pub",
        "service-account-signing-key-file": pki.key("service-accounts"),
        # APIs of others, such as metrics: they learn from it who asks.
        "requestheader-client-ca-file": pki.certificate("ca"),
        "requestheader-allowed-names": _AGGREGATOR,
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": pki.certificate(_AGGREGATOR),
        "proxy-client-key-file": pki.key(_AGGREGATOR),
        **audit.options(),
    }
    return _kubernetes("kube-apiserver", options, overrides)


def _controller_manager(overrides: Sequence[Overrides]) -> Daemon:
    kubeconfig = paths.CLUSTER / "kube-controller-manager.kubeconfig"
    options = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": _LOOPBACK,
        "use-service-account-credentials": "true",
        "service-account-private-key-file": pki.key("service-accounts"),
        "root-ca-file": pki.certificate("ca"),
        "cluster-signing-cert-file": pki.certificate("ca"),
        "cluster-signing-key-file": pki.key("ca"),
        "service-cluster-ip-range": network.services(),
        "enable-hostpath-provisioner": "true",
        "leader-elect": "false",
        **_NO_BRAKE,
    }
    return _kubernetes("kube-controller-manager", options, overrides)


def _scheduler(overrides: Sequence[Overrides]) -> Daemon:
    kubeconfig = paths.CLUSTER / "kube-scheduler.kubeconfig"
    options = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": _LOOPBACK,
        "leader-elect": "false",
        **_NO_BRAKE,
    }
    return _kubernetes("kube-scheduler", options, overrides)


def _kubernetes(name: str, options: Options, overrides: Sequence[Overrides]) -> Daemon:
    return _daemon(name, components.running().program(name), options, overrides)


def _daemon(name: str, program: str, options: Options, overrides: Sequence[Overrides]) -> Daemon:
    chosen = dict(options)
    for each in overrides:
        chosen.update(each.get(name, {}))
    return Daemon(name, (program, *(f"--{option}={value}" for option, value in chosen.items())))
