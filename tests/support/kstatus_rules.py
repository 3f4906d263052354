"""How kstatus, and with it Flux, Argo CD and Helm, reads a custom resource."""

from mill_api.pausing import PAUSED
from mill_api.status import MillDeploymentStatus


def kstatus(generation: int, status: MillDeploymentStatus) -> str:
    """Compute a resource's state as `sigs.k8s.io/cli-utils/pkg/kstatus` does, and hold its rules for conditions."""
    if status.observed_generation == -1 and not status.conditions:
        return "InProgress"  # as the API server makes it, before any operator has looked
    conditions = {each.type: each for each in status.conditions}
    assert len(conditions) == len(status.conditions)
    assert "Ready" in conditions
    assert not {"Reconciling", "Stalled"} <= conditions.keys()
    assert all(conditions[kind].status == "True" for kind in conditions.keys() & {"Reconciling", "Stalled"})
    described = [each for each in status.conditions if each.reason != PAUSED]  # a pause is about what waits
    assert all(each.observed_generation == status.observed_generation for each in described)
    assert all(each.reason and each.reason[0].isupper() for each in status.conditions)
    if status.observed_generation != generation:
        return "InProgress"
    if "Reconciling" in conditions:
        return "InProgress"
    if "Stalled" in conditions:
        return "Failed"
    return "Current" if conditions["Ready"].status == "True" else "InProgress"
