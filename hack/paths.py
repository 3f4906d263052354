"""Where things are kept: one folder, which can be deleted as a whole when no cluster runs."""

import os
import re
from pathlib import Path
from typing import Final


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


CACHE: Final = _cache_home() / "mill-dev"

BIN: Final = CACHE / "bin"
"""Built programs, one folder per program and version."""

GO: Final = CACHE / "go"
"""A virtual environment that carries Go, where the machine has none."""

IMAGES: Final = CACHE / "images"
"""Built programs of sample images, and layers of Mill's image, by the hash of what they are made of."""

_NAME: Final = re.sub(r"[^a-z0-9]+", "-", os.environ.get("MILL_CLUSTER", "").lower()).strip("-")

SUFFIX: Final = f"-{_NAME}" if _NAME else ""
"""Of what belongs to a cluster beside the usual one: `hack/cluster/apart.py`."""

REGISTRY: Final = CACHE / f"registry{SUFFIX}"
"""What was pushed to the local registry; survives `down`."""

LOCK: Final = CACHE / f"lock{SUFFIX}"

CLUSTER: Final = CACHE / f"cluster{SUFFIX}"
"""The state of the running cluster; gone after `down`."""

KUBECONFIG: Final = CLUSTER / "kubeconfig"
PKI: Final = CLUSTER / "pki"
LOGS: Final = CLUSTER / "logs"
PROCESSES: Final = CLUSTER / "processes"
NODES: Final = CLUSTER / "nodes"
VOLUMES: Final = CLUSTER / "volumes"

LOCAL: Final = CACHE / f"local{SUFFIX}"
"""Pids and logs of operator and gateway, where they run as local processes."""
