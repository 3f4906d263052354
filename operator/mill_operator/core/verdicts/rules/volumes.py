"""Rules about what a pod waits for before its first container starts."""

from typing import Final

from mill_operator.core.verdicts.pod_predicates import mount_fails, sandbox_fails, volume_unbound
from mill_operator.core.verdicts.rule import PodRule, Rule, Speed, seconds

VOLUMES: Final[tuple[Rule, ...]] = (
    PodRule(
        id="volume-unbound",
        code="VolumeNotProvisioned",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=volume_unbound,
        evidence=(
            "a claim that is not bound: no storage class, an unknown one, or the event `ProvisioningFailed`;"
            " 120 s where no event names a cause"
        ),
        message='volume "{volume}" not provisioned: {cause}',
        suggestion="Find the cause: kubectl describe pvc {volume}",
    ),
    PodRule(
        id="volume-missing",
        code="VolumeNotFound",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=mount_fails(absent=True),
        evidence="the event `FailedMount` of the pod, and what should be mounted does not exist",
        message='volume "{volume}" not mounted: {cause}',
        suggestion="Create what the message names. The node retries by itself.",
    ),
    PodRule(
        id="volume-mount",
        code="VolumeNotMounted",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=mount_fails(absent=False),
        evidence="the event `FailedMount` or `FailedAttachVolume` of the pod, for any other cause",
        message='volume "{volume}" not mounted: {cause}',
        suggestion="Wait if the volume is still in use on another node. Otherwise: kubectl describe pvc {volume}",
    ),
    PodRule(
        id="sandbox",
        code="SandboxFailed",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=sandbox_fails,
        evidence="the event `FailedCreatePodSandBox` of the pod",
        message="node {node} cannot start pods: {cause}",
        suggestion="Ask your cluster administrator to check the node's network and container runtime.",
    ),
)
