"""Which pods leave a node that is drained, and which stay: as `kubectl drain --ignore-daemonsets` has it."""

from collections.abc import Iterable
from dataclasses import dataclass

from mill_gateway.objects.nodes import NodePod
from mill_gateway.objects.pods import Program


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a node's pods."""

    services: dict[Program, tuple[NodePod, ...]]
    """Replicas of services, which will have others elsewhere."""
    others: tuple[NodePod, ...]
    """Runs of tasks, and pods that are none of ours."""
    kept: tuple[NodePod, ...]
    """Pods that nobody would make anew: they are left to who made them."""

    @property
    def uids(self) -> set[str]:
        """Return the uids of all of them."""
        return {each.uid for pods in (*self.services.values(), self.others, self.kept) for each in pods}


def bound(tenant: NodePod) -> bool:
    """Tell whether a pod belongs to its node, and cannot leave it: a DaemonSet's, or one of the kubelet's own."""
    return tenant.mirror or tenant.owner == "DaemonSet"


def plan(tenants: Iterable[NodePod]) -> Plan:
    """Decide about all pods of a node."""
    services: dict[Program, list[NodePod]] = {}
    others, kept = [], []
    for each in tenants:
        if bound(each):
            continue
        if each.owner is None and not each.leaving:
            kept.append(each)
        elif each.ours and each.service:
            services.setdefault(Program(each.key.namespace, "service", each.service), []).append(each)
        else:
            others.append(each)
    return Plan({program: tuple(pods) for program, pods in services.items()}, tuple(others), tuple(kept))


def busy(tenants: Iterable[NodePod]) -> list[NodePod]:
    """Return the pods for whose sake a node may not be removed."""
    return [each for each in tenants if not bound(each)]


def name_of(tenant: NodePod) -> dict[str, str]:
    """Return how an event names a pod: by its service or task, or by itself if it is none of ours."""
    program = tenant.service or tenant.task
    return {"service": program} if tenant.ours and program else {"pod": str(tenant.key)}


def unmanaged(tenant: NodePod) -> str:
    """Return why a pod is left where it is."""
    return f"pod {tenant.key} has no controller: nobody would make it anew; delete it yourself"
