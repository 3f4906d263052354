"""A node: containerd, the kubelet and kube-proxy, with everything they keep below one folder."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import cgroups, components, control_plane, network, pki, processes, runtime, variants
from hack.cluster.machine import Machine
from hack.cluster.processes import Daemon

CLUSTER_DOMAIN: Final = "cluster.local"
_LOOPBACK: Final = "127.0.0.1"
_LEASE_SECONDS: Final = 16
"""Of a node that can be lost: the kubelet renews its lease after a quarter of this time."""


@dataclass(frozen=True)
class Node:
    """One machine of the cluster, as far as Kubernetes can tell."""

    name: str
    address: str
    """Where the kubelet listens."""
    pods: str
    bridge_address: str
    """Of the node on the bridge of its pods."""
    machine: Machine | None = None
    """The machine that the node has for itself; without one it is the machine that runs everything."""

    @property
    def directory(self) -> Path:
        return paths.NODES / self.name

    @property
    def socket(self) -> Path:
        return self.directory / "containerd.sock"

    @property
    def _kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def _addresses(self) -> list[str]:
        return [self.address, *([network.GATEWAY_6] if variants.is_dual_stack() else [])]

    @property
    def _gateways(self) -> list[str]:
        return [self.bridge_address, *([network.GATEWAY_6] if variants.is_dual_stack() else [])]

    @property
    def _ranges(self) -> list[str]:
        return [self.pods, *([network.NODE_PODS_6] if variants.is_dual_stack() else [])]

    def prepare(self) -> None:
        """Write the node's certificates and configuration files."""
        self.directory.mkdir(parents=True)
        cgroups.create_group(self._group)
        pki.issue_client(self.name, f"system:node:{self.name}", "system:nodes")
        pki.issue_server(f"{self.name}-kubelet", (self.address,), (self.name,))
        pki.write_kubeconfig(self._kubeconfig, control_plane.SERVER, self.name)
        (self.directory / "cni").mkdir()
        self._write("cni/mill.conflist", _as_json(self._cni()))
        self._write("containerd.toml", runtime.configuration(components.running().containerd, self.directory))
        self._write("kubelet.json", _as_json(self._kubelet()))
        self._write("kube-proxy.json", _as_json(self._proxy()))

    def start_runtime(self) -> None:
        """Start containerd; it needs no control plane, so it can start beside it."""
        self._run(runtime.daemon(f"{self.name}-containerd", self.directory / "containerd.toml"))

    def start(self) -> None:
        """Start the kubelet and kube-proxy."""
        processes.wait_until(f"{self.name}-containerd", self.socket.exists)
        kubelet = (
            components.running().program("kubelet"),
            f"--config={self._file('kubelet.json')}",
            f"--kubeconfig={self._kubeconfig}",
            f"--root-dir={self._file('kubelet')}",
            f"--hostname-override={self.name}",
            # Not loopback, which the kubelet refuses; without an address `kubectl logs` fails.
            f"--node-ip={','.join(self._addresses)}",
        )
        self._run(Daemon(f"{self.name}-kubelet", kubelet))
        proxy = (components.running().program("kube-proxy"), f"--config={self._file('kube-proxy.json')}")
        self._run(Daemon(f"{self.name}-kube-proxy", proxy))

    def _run(self, daemon: Daemon) -> None:
        if self.machine is not None:
            daemon = replace(daemon, argv=self.machine.within(*daemon.argv))
        processes.start(daemon)

    @property
    def _group(self) -> str:
        """The control group of its pods. A kubelet ends whatever it does not know in its own."""
        return cgroups.ROOT if self.machine is None else f"{cgroups.ROOT}/{self.name}"

    def _cni(self) -> dict[str, object]:
        bridge = {
            "type": "bridge",
            "bridge": network.BRIDGE,
            "isGateway": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "dataDir": self._file("addresses"),
                "ranges": [
                    [{"subnet": subnet, "gateway": gateway}]
                    for subnet, gateway in zip(self._ranges, self._gateways, strict=True)
                ],
                "routes": [{"dst": each} for each in ("0.0.0.0/0", "::/0")[: len(self._ranges)]],
            },
        }
        return {"cniVersion": "0.4.0", "name": "mill", "plugins": [bridge]}

    def _kubelet(self) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.address,
            "healthzBindAddress": _LOOPBACK,
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki.certificate("ca"))},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(pki.certificate(f"{self.name}-kubelet")),
            "tlsPrivateKeyFile": str(pki.key(f"{self.name}-kubelet")),
            "clusterDNS": [network.GATEWAY],
            "clusterDomain": CLUSTER_DOMAIN,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": self._group,
            "failCgroupV1": False,
            "failSwapOn": False,
            "podLogsDir": self._file("pod-logs"),
            "volumePluginDir": self._file("volume-plugins"),
            "maxPods": 250,
            **({} if self.machine is None else {"nodeLeaseDurationSeconds": _LEASE_SECONDS}),
            # The wishes of tests: all pulls at once, none refused for being one too many.
            "serializeImagePulls": False,
            "registryPullQPS": 0,
            # A developer's disk is often nearly full; and 100 turns the removal of images off, the pause image's too.
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
        }

    def _proxy(self) -> dict[str, object]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "hostnameOverride": self.name,
            "clientConnection": {"kubeconfig": str(paths.CLUSTER / "kube-proxy.kubeconfig")},
            "clusterCIDR": network.pods(),
            "healthzBindAddress": f"{_LOOPBACK}:10256",
            "metricsBindAddress": f"{_LOOPBACK}:10249",
            # Node ports open on the bridge only, never to the outside.
            "nodePortAddresses": self._ranges,
            "iptables": {"localhostNodePorts": False},
            # Zero leaves the kernel's own values alone; writing them is refused in many containers.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        }

    def _file(self, name: str) -> str:
        return str(self.directory / name)

    def _write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)


def _as_json(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2) + "\n"
