"""What the pods of a service report about its settling window.

A rollout succeeds when its services have stayed ready for a while: for their window. It begins when all replicas that
are wanted at that moment are ready, and its pods are those that existed then. Pods that are taken away, or added later,
do not count.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from mill_operator.core.observed.pods import ObservedPod


@dataclass(frozen=True, slots=True)
class Window:
    """An open settling window."""

    since: datetime
    crashes: int
    """How often the containers of its pods had ended when it began."""
    newest: datetime
    """When the newest of its pods was created, by the API server's clock, which may differ from that of `since`."""


@dataclass(frozen=True, slots=True)
class SettlingPods:
    """The pods of a service, as far as its settling window depends on them."""

    all_ready: bool
    """Whether as many pods as wanted are ready, so that a window can begin."""
    crashes: int = 0
    """How often the containers of the pods that can be in a window have ended."""
    is_broken: bool = False
    """Whether a pod of the open window has crashed, or is not ready."""
    is_steady: bool = True
    """Whether the window may end as far as the pods are concerned: all of them count as healthy and as available."""
    newest: datetime | None = None
    """When the newest of the pods that can be in a window was created; None if there is none."""


def settling_pods(
    ours: Sequence[ObservedPod],
    healthy: Collection[ObservedPod],
    *,
    desired: int,
    available: int,
    others_ready: int,
    window: Window | None,
) -> SettlingPods:
    """Return what the pods of the desired template report.

    `healthy` are those of them that count as healthy. `available` is the number of pods, of all versions, that the
    Deployment calls available, and `others_ready` the number of ready pods of other versions: so many of the available
    ones may be of those.
    """
    all_ready = sum(pod.ready for pod in ours) >= desired
    total, newest = sum(pod.container.crashes for pod in ours), max((pod.created for pod in ours), default=None)
    if window is None:
        return SettlingPods(all_ready, total, newest=newest)
    inside = [pod for pod in ours if pod.created <= window.newest]
    crashes = sum(pod.container.crashes for pod in inside)
    # More pods than wanted need not be ready: there are such, for one, while someone restarts the Deployment.
    needed = min(len(inside), desired)
    is_broken = crashes > window.crashes or sum(pod.ready for pod in inside) < needed
    # If all of them were taken away, those that replaced them have to prove the template.
    counted, needed = (inside, needed) if inside else (ours, desired)
    is_steady = sum(pod in healthy for pod in counted) >= needed and available - others_ready >= needed
    return SettlingPods(all_ready, crashes if inside and not is_broken else total, is_broken, is_steady, newest)
