"""Everything that can be wrong with a service, one row each: evidence, speed, reason, suggestion.

A new failure reason is a new row here, and a recorded pod in the tests; what a row looks for is a predicate in
`evidence` (a container) or `surroundings` (everything around it). Rows are read from top to bottom; of several that
match, one whose time is up wins over one that still waits, and then the first. docs/failure-codes.md is made from them.

Four speeds. *Permanent*: nothing but a change can heal it, so it fails at the first sighting. *Likely*: it may be a
flake or an object that is made a moment later, so it is `Suspect` first. *Needs time*: it is normal for a while.
*No evidence*: it says nothing about the service; it stays `Suspect`, and only the time without progress ends it.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from mill_operator.core.verdicts.container_predicates import (
    Sees,
    cannot_start,
    crashed,
    done,
    ends,
    image_missing,
    other_platform,
    out_of_memory,
    pull,
    pull_denied,
    pull_secret_missing,
    secret_missing,
    start_failed,
    unready,
    waits,
)
from mill_operator.core.verdicts.pod_predicates import (
    exceeds_its_storage,
    gate_closed,
    mount_fails,
    node_lost,
    problem,
    refused_pods,
    sandbox_fails,
    unschedulable,
    volume_unbound,
)


class Speed(StrEnum):
    """How fast a rule makes a failure."""

    PERMANENT = "permanent"
    LIKELY = "likely"
    NEEDS_TIME = "needs time"
    NO_EVIDENCE = "no evidence"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    id: str
    code: str
    speed: Speed
    grace: timedelta
    """How long it may last. None at all for what is permanent."""
    sees: Sees
    evidence: str
    """What it sees, in words."""
    message: str
    """The reason in plain words; `{names}` come from the match and from what was asked."""
    suggestion: str
    timer_group: str = ""
    """Rules of one group share a timer: a registry that fails for changing causes fails all the time."""


def seconds(count: float) -> timedelta:
    """Return a time span."""
    return timedelta(seconds=count)


PERMANENT, LIKELY, NEEDS_TIME, NO_EVIDENCE = Speed.PERMANENT, Speed.LIKELY, Speed.NEEDS_TIME, Speed.NO_EVIDENCE
AT_ONCE: Final = seconds(0)
REGISTRY_TROUBLE: Final = "registry"
UNREADY: Final = "unready"
GATE: Final = "readiness-gate"
STARTING: Final = frozenset({UNREADY, GATE})
"""Rules that are no suspicion before their time is up: that is what starting looks like."""

INTERNAL: Final = Rule(
    "internal-error", "InternalError", LIKELY, seconds(30), problem("internal"),
    "an unexpected error in the operator itself, while it renders or judges this service, or this run",
    "internal error of mill: {cause}",
    "This is a fault of mill, not of what you wrote: please report it, as mill's CONTRIBUTING.md says, with the lines"
    " of the operator's log that have this id. What runs is left as it is, and it goes on being tried.",
)  # fmt: skip

TABLE: Final[tuple[Rule, ...]] = (
    # What we wrote, and what the API server says of it
    Rule(
        "name-taken", "NameTaken", PERMANENT, AT_ONCE, problem("taken"),
        "an object of that name that is not this MillDeployment's", "{cause}",
        "Rename the service, or delete the object that has its name.",
    ),
    Rule(
        "object-refused", "Refused", PERMANENT, AT_ONCE, problem("refused"),
        "the API server refuses an object: admission, validation, rights", "refused by the cluster: {cause}",
        "The text is the API server's. Change what it names, or ask who runs the cluster.",
    ),
    Rule(
        "object-blocked", "AdmissionBroken", NEEDS_TIME, seconds(60), problem("blocked"),
        "the API server answers 500 for an object: an admission webhook that does not answer",
        "not accepted by the cluster: {cause}",
        "The text is the API server's. It goes on being tried; ask who runs the cluster.",
    ),
    # The image, where its registry or the node says clearly what is wrong
    Rule(
        "image-platform", "WrongPlatform", PERMANENT, AT_ONCE, other_platform,
        "the image's list of platforms lacks the node's", "image pull failed: not built for {platform}",
        "Build the image for the node's platform too.",
    ),
    Rule(
        "image-incomplete", "ImageIncomplete", LIKELY, seconds(30),
        pull(r"could not fetch content descriptor.*not found|failed to copy.*not found|(blob unknown|unknown blob)"),
        "the manifest is there, and a layer is not: a push that was cut off, or still goes on",
        "image pull failed: incomplete in the registry", "Push the image again: a layer is missing in the registry.",
    ),
    Rule(
        "image-short-name", "InvalidImageName", PERMANENT, AT_ONCE,
        pull(r"short-name .* did not resolve|no registries configured while trying to pull an unqualified image"),
        "the node does not know which registry is meant", "image pull failed: no registry in the image's name",
        "Write the image's whole name, registry first: docker.io/library/nginx:1.",
    ),
    Rule(
        "image-name", "InvalidImageName", PERMANENT, AT_ONCE, waits({"InvalidImageName"}),
        "`InvalidImageName`: the kubelet cannot read the image's name", "image pull failed: invalid image name",
        "Correct the image's name.",
    ),
    Rule(
        "image-never-pulled", "ImageNeverPull", PERMANENT, AT_ONCE, waits({"ErrImageNeverPull"}),
        "`ErrImageNeverPull`: the node may not pull, and does not have the image",
        "image pull failed: not on node {node}, and pulling is forbidden", "Put the image on the node.",
    ),
    Rule(
        "image-rate-limit", "PullRateLimited", NEEDS_TIME, seconds(60), pull(r"too ?many ?requests"),
        "429, or `toomanyrequests`", "image pull failed: too many requests to the registry",
        "Give the namespace's default ServiceAccount the credentials of an account with a higher limit"
        " (imagePullSecrets), or wait.",
        timer_group=REGISTRY_TROUBLE,
    ),
    Rule(
        "image-signature", "SignatureRejected", LIKELY, seconds(30), waits({"SignatureValidationFailed"}),
        "`SignatureValidationFailed`: the node's policy does not accept the image's signature",
        "image pull failed: signature not accepted: {waiting}", "Sign the image, or ask who runs the cluster.",
    ),
    Rule(
        "image-missing", "TagNotFound", PERMANENT, AT_ONCE, image_missing,
        "`not found`, `manifest unknown` or `name unknown` from the registry", "image pull failed: {what} not found",
        "Check the image's name and tag, and whether it was pushed: a registry says the same of a missing repository.",
    ),
    Rule(
        "image-pull-secret", "PullSecretNotFound", LIKELY, seconds(30), pull_secret_missing,
        "access denied, and the event `FailedToRetrieveImagePullSecret` of the pod",
        "image pull failed: access denied, pull secret not found: {secrets}",
        "Make that Secret, or name another in the namespace's default ServiceAccount (imagePullSecrets).",
    ),
    Rule(
        "image-denied", "PullDenied", LIKELY, seconds(30), pull_denied,
        "401, 403, `unauthorized` or `denied`; at once when the node has tried again",
        "image pull failed: access denied",
        "Add the registry's credentials to the namespace's default ServiceAccount (imagePullSecrets)."
        " Some registries say the same of a missing repository.",
    ),
    # The node
    Rule(
        "node-lost", "NodeLost", NEEDS_TIME, seconds(120), node_lost,
        "the node's condition Ready is not True", "node {node} {silence}",
        "Kubernetes makes other pods after five minutes. See the node: kubectl describe node {node}",
    ),
    # The image, where nobody says clearly what is wrong
    Rule(
        "image-throttled", "PullThrottled", NO_EVIDENCE, AT_ONCE, pull(r"pull QPS exceeded|context canceled"),
        "`pull QPS exceeded` or `context canceled`: the node itself; a cause that was seen before stays",
        "image pull failed: {waiting}", "The node is busy pulling; it tries again by itself.",
    ),
    Rule(
        "image-registry", "RegistryUnavailable", NEEDS_TIME, seconds(60),
        pull(
            r"dial tcp|no such host|connection re(fused|set)|i/o timeout|handshake timeout|deadline exceeded|\bEOF\b"
            r"|registry is unavailable|RegistryUnavailable|5\d\d (?:internal|bad|service|gateway)"
        ),
        "connection refused, time-outs, no such host, 500 to 504", "image pull failed: registry unavailable: {waiting}",
        "The node tries again by itself. If the registry is well: can the nodes reach it?",
        timer_group=REGISTRY_TROUBLE,
    ),
    Rule(
        "image-pull", "ImagePullFailed", NEEDS_TIME, seconds(60), pull(r""),
        "an image that cannot be pulled, for any other cause", "image pull failed: {waiting}",
        "The text is the container runtime's. The node tries again by itself.",
        timer_group=REGISTRY_TROUBLE,
    ),
    # Before the first container
    Rule(
        "volume-unbound", "VolumeNotProvisioned", LIKELY, seconds(30), volume_unbound,
        "a claim that is not bound: no or an unknown storage class, or the event `ProvisioningFailed`;"
        " 120 s where nobody says why",
        'volume "{volume}" not provisioned: {cause}', "See why: kubectl describe pvc {volume}",
    ),
    Rule(
        "volume-missing", "VolumeNotFound", LIKELY, seconds(30), mount_fails(absent=True),
        "the event `FailedMount` of the pod, and what should be mounted does not exist",
        'volume "{volume}" not mounted: {cause}', "Make what the text names. The node tries again by itself.",
    ),
    Rule(
        "volume-mount", "VolumeNotMounted", NEEDS_TIME, seconds(120), mount_fails(absent=False),
        "the event `FailedMount` or `FailedAttachVolume` of the pod, for any other cause",
        'volume "{volume}" not mounted: {cause}',
        "A volume that is still in use on another node follows by itself. Else: kubectl describe pvc {volume}",
    ),
    Rule(
        "sandbox", "SandboxFailed", NEEDS_TIME, seconds(120), sandbox_fails,
        "the event `FailedCreatePodSandBox` of the pod", "node {node} cannot start pods: {cause}",
        "That is the node's network, or its container runtime: ask who runs the cluster.",
    ),
    # The start
    Rule(
        "start-format", "ExecFormatError", PERMANENT, AT_ONCE, cannot_start(r"exec format error"),
        "`exec format error`: a program for another processor, or a script without `#!`",
        "container start failed: not built for {platform}", "Build the image for the node's platform.",
    ),
    Rule(
        "start-command", "CommandNotFound", PERMANENT, AT_ONCE,
        cannot_start(r"no such file or directory|executable file (`[^`]*` )?not found|permission denied"),
        "the runtime cannot execute the command: it is not there, or not executable",
        "container start failed: command not found", "Check `command`, and that the image contains the program.",
    ),
    Rule(
        # Not ten seconds: a kubelet that has found no Secret looks again after ten to fifteen.
        "secret-missing", "SecretNotFound", LIKELY, seconds(20), secret_missing,
        "`CreateContainerConfigError`: the Secret, or the key in it, does not exist", 'secret "{secret}" not found',
        "Set it: mill secret set {secret} VALUE",
    ),
    Rule(
        "container-config", "ContainerConfigError", LIKELY, seconds(30),
        waits({"CreateContainerConfigError", "CreateContainerError"}),
        "the kubelet or the runtime cannot make the container, for any other cause",
        "container not created: {waiting}", "The text is the node's.",
    ),
    Rule(
        "start-failed", "StartFailed", LIKELY, seconds(30), start_failed,
        "`StartError`, `RunContainerError`: the runtime cannot start the container, for any other cause",
        "container start failed: {waiting}", "The text is the container runtime's.",
    ),
    # The run
    Rule(
        "out-of-memory", "OutOfMemory", LIKELY, AT_ONCE, ends(out_of_memory),
        "`OOMKilled`, twice: the container, or one of its processes", "out of memory (limit {memory})",
        "Raise `memory`, or find out what the program needs it for.",
    ),
    Rule(
        "ended", "ProgramEnded", LIKELY, AT_ONCE, ends(done),
        "exit code 0, twice", "container exited with code 0",
        "A service runs until it is stopped. A program that does its work and ends is a `task`.",
    ),
    Rule(
        "crash", "ContainerExited", LIKELY, AT_ONCE, ends(crashed),
        "any other exit code, twice", "container exited with code {exit_code}",
        "See its last words: mill logs {service}",
    ),
    Rule(
        "storage-limit", "StorageLimitExceeded", LIKELY, AT_ONCE, exceeds_its_storage,
        "two pods that were evicted for exceeding their own limit",
        "storage limit exceeded: {what} (limit {limit})", "Raise the volume's `size`, or write less.",
    ),
    # What keeps pods from being made, or placed
    Rule(
        "pods-quota", "QuotaExceeded", NEEDS_TIME, seconds(60), refused_pods(r"exceeded quota: (?P<cause>.*)"),
        "the Deployment may make no more pods: `exceeded quota`; anew when one more pod is ready",
        "quota exceeded: {cause}", "Ask for less, or for a larger quota.",
    ),
    Rule(
        # Not at once: until the pods of a corrected version are made, its Deployment repeats the old one's refusal.
        "pods-refused", "PodsRefused", LIKELY, seconds(2), refused_pods(r"(?P<cause>.+)"),
        "the Deployment may make no pods: LimitRange, admission", "pods refused: {cause}",
        "The text is the cluster's. Change what it names, or ask who runs the cluster.",
    ),
    Rule(
        "unschedulable", "Unschedulable", NEEDS_TIME, seconds(120), unschedulable,
        "the scheduler finds no node; anew when one more pod is ready; five minutes more when an autoscaler orders one",
        "no nodes available: {cause}", "Ask for less cpu or memory, or add a node.",
    ),
    Rule(
        UNREADY, "HealthCheckTimeout", NEEDS_TIME, seconds(30), unready,
        "a container that runs and is not ready; the larger of 30 s and `interval` times `failure_threshold`",
        "health check timeout after {budget}",
        "See what it says, and whether it listens on the port and answers the health path: mill logs {service}",
    ),
    Rule(
        GATE, "ReadinessGate", NEEDS_TIME, seconds(300), gate_closed,
        "containers that are ready, and a readiness gate of the pod that is not passed",
        'not admitted by readiness gate "{gate}"', "See who sets that condition of the pod: a load balancer, say.",
    ),
    # Ourselves
    INTERNAL,
)  # fmt: skip

BY_ID: Final = {rule.id: rule for rule in TABLE}

TIMEOUT: Final = Rule(
    "timeout", "Timeout", NEEDS_TIME, seconds(600), lambda _: None,
    "nothing moves, and nothing says why", "no progress for 10m",
    "Nothing has moved and nothing says why: kubectl describe pods -l mill.dev/service={service}",
)  # fmt: skip

NOT_STOPPED: Final = Rule(
    "not-stopped", "NotStopped", NEEDS_TIME, seconds(60), lambda _: None,
    "a removed service that is still there, counted from when its pods should have ended", "not stopped: {cause}",
    "It goes on being tried. If the node is lost for good: kubectl delete node NAME",
)  # fmt: skip
