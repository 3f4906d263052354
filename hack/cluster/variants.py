"""The embedded cluster as some others are: `MILL_VARIANT=small`, or `dual-stack`.

`small` has the options of distributions for small machines, harsher than they have them: few requests at once, none of
them fairer than others, no cache of what is watched, and a history of seconds. `dual-stack` has IPv6 beside IPv4.
"""

import os
from collections.abc import Mapping
from typing import Final

from hack import paths
from hack.cluster.packages import NotSupported

VARIABLE: Final = "MILL_VARIANT"
SMALL: Final = "small"
DUAL_STACK: Final = "dual-stack"
_RECORD: Final = paths.CLUSTER / "variant"

_SMALL: Final[Mapping[str, Mapping[str, object]]] = {
    "etcd": {
        # What was a few seconds ago is forgotten: watches and pages that come back later are answered 410 Gone.
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "5s",
    },
    "kube-apiserver": {
        "enable-priority-and-fairness": "false",
        "max-requests-inflight": 40,
        "max-mutating-requests-inflight": 20,
        "watch-cache": "false",
        "min-request-timeout": 10,
        "event-ttl": "1m",
        "etcd-compaction-interval": "10s",
    },
    "kube-controller-manager": {"kube-api-qps": 20, "kube-api-burst": 30, "concurrent-deployment-syncs": 1},
    "kube-scheduler": {"kube-api-qps": 50, "kube-api-burst": 100},
}


def wanted() -> str:
    """Return the variant to start a cluster of: that of the environment, or else what runs. Empty: as usual."""
    named = os.environ.get(VARIABLE) or running()
    if named not in ("", SMALL, DUAL_STACK):
        raise NotSupported(f"{VARIABLE}={named}: it is {SMALL} or {DUAL_STACK}, or not set")
    return named


def running() -> str:
    """Return the variant of the running cluster."""
    return _RECORD.read_text() if _RECORD.exists() else ""


def record(variant: str) -> None:
    """Keep what the cluster is, for programs that come later."""
    _RECORD.write_text(variant)


def is_dual_stack() -> bool:
    """Whether the running cluster has IPv6 beside IPv4."""
    return running() == DUAL_STACK


def options() -> Mapping[str, Mapping[str, object]]:
    """Return the options of the running cluster's variant, by component: see `control_plane.Overrides`."""
    return _SMALL if running() == SMALL else {}
