"""Pods that a drain evicts, and pods that stay: the rules of `kubectl drain --ignore-daemonsets`."""

from collections.abc import Iterable
from dataclasses import dataclass

from mill_gateway.objects.nodes import NodePod
from mill_gateway.objects.pods import Program


@dataclass(frozen=True, slots=True)
class DrainPlan:
    """What a drain does with the pods of a node."""

    services: dict[Program, tuple[NodePod, ...]]
    """Replicas of services, which are replaced on other nodes."""
    others: tuple[NodePod, ...]
    """Runs of tasks, and pods that mill did not create."""
    kept: tuple[NodePod, ...]
    """Pods without a controller: nothing would create a replacement, so they stay."""

    @property
    def uids(self) -> set[str]:
        """The uids of all pods of the plan."""
        return {each.uid for pods in (*self.services.values(), self.others, self.kept) for each in pods}


def is_bound(pod: NodePod) -> bool:
    """Whether a pod cannot leave its node: it is a DaemonSet's, or a static pod of the kubelet."""
    return pod.mirror or pod.owner == "DaemonSet"


def plan_drain(pods: Iterable[NodePod]) -> DrainPlan:
    """Decide for each pod of a node whether it is evicted."""
    services: dict[Program, list[NodePod]] = {}
    others, kept = [], []
    for each in pods:
        if is_bound(each):
            continue
        if each.owner is None and not each.terminating:
            kept.append(each)
        elif each.ours and each.service:
            services.setdefault(Program(each.key.namespace, "service", each.service), []).append(each)
        else:
            others.append(each)
    return DrainPlan({program: tuple(pods) for program, pods in services.items()}, tuple(others), tuple(kept))


def movable(pods: Iterable[NodePod]) -> list[NodePod]:
    """Return the pods that a drain would move: while there are any, a node is not removed."""
    return [each for each in pods if not is_bound(each)]


def name_of(pod: NodePod) -> dict[str, str]:
    """Return how an event names a pod: by its service or task, or by its own name if mill did not create it."""
    program = pod.service or pod.task
    return {"service": program} if pod.ours and program else {"pod": str(pod.key)}


def describe_unmanaged(pod: NodePod) -> str:
    """Return why a pod without a controller stays."""
    return f"pod {pod.key} has no controller that would replace it; delete it yourself"
