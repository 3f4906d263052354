"""A machine with Docker and kind, as people have it: commands run in it as they would in theirs.

It has a network and a cache of its own, so that a cluster beside it is not disturbed, and goes as a whole.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster.kind import NODE
from hack.commands import CommandFailed, run
from hack.docker import engine
from hack.docker.engine import STATE, Engine
from hack.docker.kind import node_image
from hack.progress import step
from hack.toolchain.build import KIND

_NETWORK: Final = "kind"
_SUBNET: Final = "10.236.0.0/24"
_CACHE: Final = STATE / "cache"
_PROGRAMS: Final = STATE / "bin"
_PODS: Final = "10.244.0.0/16"
_SERVICES: Final = "10.96.0.0/16"

_CONFIGURATION: Final = {
    "kind": "Cluster",
    "apiVersion": "kind.x-k8s.io/v1alpha4",
    "nodes": [{"role": "control-plane", "image": node_image.IMAGE}],
    # Kubernetes 1.35 refuses machines with control groups of the first version without this.
    "kubeadmConfigPatches": [json.dumps({"kind": "KubeletConfiguration", "failCgroupV1": False})],
}


@dataclass(frozen=True)
class Machine:
    """What a person types there."""

    engine: Engine

    def environment(self) -> dict[str, str]:
        """Return the variables of a person who has this Docker, and names no cluster."""
        others = {name: value for name, value in os.environ.items() if name != "KUBECONFIG" and name[:5] != "MILL_"}
        path = f"{_PROGRAMS}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**others, **self.engine.environment(), "XDG_CACHE_HOME": str(_CACHE), "PATH": path}

    def run(self, *argv: str, seconds: float) -> str:
        """Run a command to its end; return all that it prints. Raise `CommandFailed` unless it exits with 0."""
        words = [*self.engine.inside(), *argv]
        done = subprocess.run(
            words,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise CommandFailed(list(argv), done.returncode, done.stdout)
        return done.stdout

    @property
    def kubeconfig(self) -> Path:
        """Where `make cluster-up` puts it."""
        return _CACHE / paths.KUBECONFIG.relative_to(paths.CACHE.parent)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the cluster."""
        return self.run("kubectl", "--kubeconfig", str(self.kubeconfig), *arguments, seconds=60)

    def reach_pods(self) -> None:
        """Let programs of the machine reach pods and Services by their addresses, through the node."""
        place = f'{{{{(index .NetworkSettings.Networks "{_NETWORK}").IPAddress}}}}'
        address = self.engine.docker("inspect", "--format", place, NODE).strip()
        for subnet in (_PODS, _SERVICES):
            run(*self.engine.inside(), "ip", "route", "replace", subnet, "via", address)


@contextmanager
def machine() -> Iterator[Machine]:
    """Have the machine while the block runs; the first time its images are made, which takes minutes."""
    archive = node_image.archive()
    with engine.running(own_network=True) as docker:
        with step("loading the images of node and registry"):
            docker.docker("load", "--input", archive, seconds=600)
        # kind takes a network that is there. Its own would have IPv6, and rules of iptables.
        bridge = ("--opt", "com.docker.network.bridge.name=mill-kind0")
        docker.docker("network", "create", "--driver", "bridge", "--subnet", _SUBNET, *bridge, _NETWORK)
        _install_kind()
        _share_cache()
        yield Machine(docker)


def _install_kind() -> None:
    """Put kind on PATH: a cluster is created with our image, and on this machine's version of control groups."""
    _PROGRAMS.mkdir()
    configuration = STATE / "kind.json"
    configuration.write_text(json.dumps(_CONFIGURATION))
    program = _PROGRAMS / "kind"
    lines = (
        "#!/bin/sh",
        f'if [ "$1 $2" = "create cluster" ]; then set -- "$@" --config {configuration}; fi',
        f'exec {KIND.path} "$@"',
    )
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)


def _share_cache() -> None:
    """Have a cache whose programs and layers are those of this machine, and whose cluster is its own."""
    folder = _CACHE / paths.CACHE.name
    folder.mkdir(parents=True)
    for shared in (paths.BIN, paths.IMAGES, paths.GO, paths.CACHE / "releases"):
        shared.mkdir(parents=True, exist_ok=True)
        (folder / shared.name).symlink_to(shared)
