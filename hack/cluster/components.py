"""Which Kubernetes and which container runtime the embedded cluster is made of.

`MILL_KUBERNETES` and `MILL_CONTAINERD` name them. Where neither is set, a cluster that runs stays what it is, and a new
one is made of the default pair.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hack import paths, versions
from hack.cluster.packages import NotSupported
from hack.toolchain.build import Program, containerd, kubernetes

KUBERNETES: Final = "MILL_KUBERNETES"
CONTAINERD: Final = "MILL_CONTAINERD"
_LAST_WITH_CONTAINERD_1: Final = 35
"""Of Kubernetes 1: kubelets of later minor versions ask containerd 1.x for what it does not have."""
_RECORD: Final = paths.CLUSTER / "components.json"


@dataclass(frozen=True)
class Components:
    """The two versions."""

    kubernetes: str
    containerd: str

    def __str__(self) -> str:
        return f"Kubernetes {self.kubernetes} with containerd {self.containerd}"

    @property
    def programs(self) -> list[Program]:
        """What has to be built for them."""
        runtime = [] if self.containerd == versions.CONTAINERD else [containerd(self.containerd)]
        return [*runtime, kubernetes(self.kubernetes)]

    def program(self, name: str) -> str:
        """Return the path of a program of Kubernetes."""
        return str(kubernetes(self.kubernetes).directory / name)

    @property
    def runtime_directory(self) -> Path | None:
        """Where containerd's programs are; None if they are the distribution's."""
        return None if self.containerd == versions.CONTAINERD else containerd(self.containerd).directory


def are_named(environment: Mapping[str, str]) -> bool:
    """Whether the environment names one of the two."""
    return bool(environment.get(KUBERNETES) or environment.get(CONTAINERD))


def named_by(environment: Mapping[str, str]) -> Components:
    """Return the pair that the environment names; what it leaves out is what fits. Raise `NotSupported`."""
    chosen = _one_of(versions.KUBERNETES_CHOICES, environment.get(KUBERNETES) or versions.KUBERNETES, KUBERNETES)
    old_runtime_fits = int(chosen.split(".")[1]) <= _LAST_WITH_CONTAINERD_1
    fitting = versions.CONTAINERD if old_runtime_fits else versions.CONTAINERD_CHOICES[-1]
    runtime = _one_of(versions.CONTAINERD_CHOICES, environment.get(CONTAINERD) or fitting, CONTAINERD)
    if runtime.startswith("1.") and not old_runtime_fits:
        raise NotSupported(f"Kubernetes {chosen} does not work with containerd {runtime}: {CONTAINERD}={fitting}")
    return Components(chosen, runtime)


def wanted() -> Components:
    """Return the pair to start a cluster of."""
    return named_by(os.environ) if are_named(os.environ) else running()


def running() -> Components:
    """Return the pair that the running cluster was made of; the default one if that is not recorded."""
    try:
        return Components(**json.loads(_RECORD.read_text()))
    except FileNotFoundError:
        return named_by({})


def record(components: Components) -> None:
    """Keep what the cluster is made of, for programs that come later."""
    paths.CLUSTER.mkdir(parents=True, exist_ok=True)
    _RECORD.write_text(json.dumps(asdict(components)) + "\n")


def _one_of(choices: Sequence[str], value: str, variable: str) -> str:
    """Return the version that a value names: all of it, or its beginning as in `1.37`."""
    for choice in choices:
        if f"{choice}.".startswith(f"{value}."):
            return choice
    raise NotSupported(f"{variable}={value}: the versions that are known to build are {', '.join(choices)}")
