"""Rules about what a pod waits for before its first container starts."""

from typing import Final

from mill_operator.core.verdicts.rule import AT_ONCE, PodRule, Rule, Speed, seconds
from mill_operator.core.verdicts.volume_predicates import (
    MountFailure,
    devices_fail,
    mount_fails,
    sandbox_fails,
    secret_of_file_missing,
    too_little_memory_for_sandbox,
    volume_unbound,
)

PROVISIONING: Final = "provisioning"
MOUNT: Final = "mount"
SANDBOX: Final = "sandbox"
"""Timers of causes that take turns while one thing is wrong."""
NOT_MOUNTED: Final = 'volume "{volume}" not mounted: {cause}'

VOLUMES: Final[tuple[Rule, ...]] = (
    PodRule(
        id="volume-provisioning",
        code="VolumeNotProvisioned",
        speed=Speed.NEEDS_TIME,
        grace=seconds(480),
        predicate=volume_unbound(is_busy=True),
        evidence="a claim that is not bound, whose provisioner is at work: time-outs, `Aborted`, `Provisioning`; also"
        " where no event names a cause",
        message='volume "{volume}" not provisioned yet: {cause}',
        suggestion="Wait: some provisioners take minutes. If it lasts: kubectl describe pvc {volume}",
        timer_group=PROVISIONING,
    ),
    PodRule(
        id="volume-unbound",
        code="VolumeNotProvisioned",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=volume_unbound(is_busy=False),
        evidence="a claim that is not bound: no storage class, an unknown one, or the event `ProvisioningFailed`",
        message='volume "{volume}" not provisioned: {cause}',
        suggestion="Find the cause: kubectl describe pvc {volume}",
        timer_group=PROVISIONING,
    ),
    PodRule(
        id="volume-not-related",
        code="VolumeNotMounted",
        speed=Speed.NEEDS_TIME,
        grace=seconds(300),
        expected_for=seconds(30),
        predicate=mount_fails(MountFailure.NOT_RELATED_YET),
        evidence="the event `FailedMount` with `no relationship found between node`: the API server does not know yet"
        " that the pod runs there, and the node asks again after some ten seconds",
        message=NOT_MOUNTED,
        suggestion="Wait: the node retries by itself. If it lasts, ask your cluster administrator to check the API"
        " server.",
        timer_group=MOUNT,
    ),
    PodRule(
        id="volume-in-use",
        code="VolumeNotMounted",
        speed=Speed.NEEDS_TIME,
        grace=seconds(420),
        predicate=mount_fails(MountFailure.IN_USE),
        evidence="`Multi-Attach error` and the like: the volume is in use on another node, or its driver is at work;"
        " Kubernetes detaches it by force after six minutes",
        message=NOT_MOUNTED,
        suggestion="Wait: a volume leaves a lost node after six minutes. If it lasts: kubectl describe pvc {volume}",
        timer_group=MOUNT,
    ),
    PodRule(
        id="secret-file",
        code="SecretNotFound",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=secret_of_file_missing,
        evidence="the event `FailedMount` of the pod: the secret of a file does not exist",
        message='secret "{secret}" not found',
        suggestion="Set it: mill secret set {secret} VALUE",
        timer_group=MOUNT,
    ),
    PodRule(
        id="volume-missing",
        code="VolumeNotFound",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=mount_fails(MountFailure.ABSENT),
        evidence="the event `FailedMount` of the pod, and what should be mounted does not exist",
        message=NOT_MOUNTED,
        suggestion="Create what the message names. Mill creates the ConfigMap of a file itself, but not during a pause"
        " (mill resume). The node retries by itself.",
        timer_group=MOUNT,
    ),
    PodRule(
        id="volume-files",
        code="VolumeNotMounted",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=mount_fails(MountFailure.FILES),
        evidence="the event `FailedMount` of a volume that is no claim, such as a token or a ConfigMap",
        message=NOT_MOUNTED,
        suggestion="Wait: the node retries by itself. If it lasts: kubectl describe pods -l mill.dev/service={service}",
        timer_group=MOUNT,
    ),
    PodRule(
        id="volume-mount",
        code="VolumeNotMounted",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=mount_fails(MountFailure.OTHER),
        evidence="the event `FailedMount` or `FailedAttachVolume` of the pod, for any other cause",
        message=NOT_MOUNTED,
        suggestion="Find the cause: kubectl describe pvc {volume}",
        timer_group=MOUNT,
    ),
    PodRule(
        id="sandbox-memory",
        code="OutOfMemory",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=too_little_memory_for_sandbox,
        is_own_fault=True,
        evidence="the kernel ended the first process of the pod for its memory",
        message="out of memory at the start (limit {memory})",
        suggestion="Raise `memory`: the limit does not suffice to start any program.",
    ),
    PodRule(
        id="sandbox-slow",
        code="SandboxFailed",
        speed=Speed.NEEDS_TIME,
        grace=seconds(300),
        predicate=sandbox_fails(is_slow=True),
        evidence="the event `FailedCreatePodSandBox` with a time-out or a reserved name: the node's runtime is busy",
        message="node {node} has not started the pod yet: {cause}",
        suggestion="Wait: the node retries by itself. If it lasts, ask your cluster administrator to check the disk and"
        " the container runtime of node {node}.",
        timer_group=SANDBOX,
    ),
    PodRule(
        id="sandbox",
        code="SandboxFailed",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=sandbox_fails(is_slow=False),
        evidence="the event `FailedCreatePodSandBox`, `NetworkNotReady` or `FailedCreatePodContainer` of the pod",
        message="node {node} cannot start pods: {cause}",
        suggestion="Ask your cluster administrator to check the node's network and container runtime.",
        timer_group=SANDBOX,
    ),
    PodRule(
        id="devices",
        code="DevicesNotPrepared",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=devices_fail,
        evidence="the event `FailedPrepareDynamicResources` of the pod",
        message="node {node} cannot prepare the pod's devices: {cause}",
        suggestion="Check the pod's resource claims and the driver on node {node}: kubectl get resourceclaims",
    ),
)
