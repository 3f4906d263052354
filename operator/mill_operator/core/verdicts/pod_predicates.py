"""Predicates of what is around a pod: its placement, volumes and node, and what keeps it from being created."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from mill_objects.kubelet import CREATING
from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.messages import cause
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.patterns import pattern, repeated
from mill_operator.core.verdicts.rule_input import Match, PodSubject, Problem, ProblemKind
from mill_operator.core.verdicts.waiting_predicates import PodPredicate

SCALING_UP: Final = ("TriggeredScaleUp", "Nominated")
"""Events of an autoscaler that has ordered a node for a pod: the cluster autoscaler's and Karpenter's."""
SCALE_UP_GRACE: Final = timedelta(seconds=120) + timedelta(minutes=5)
"""How long a pod may have no node while an autoscaler orders one: five minutes more than the rule's grace period."""
UNEXPLAINED_VOLUME_GRACE: Final = timedelta(seconds=120)
"""How long a volume may take when no event names a cause."""

NO_NODE: Final = (
    (pattern(r"(?i)insufficient [\w/-]+(?:\.[\w/-]+)*"), None),
    (pattern(r"(?i)too many pods"), "too many pods on every node"),
    (pattern(r"(?i)didn't match Pod's node affinity/selector"), "node selector matches none"),
    (pattern(r"(?i)PersistentVolume's node affinity|volume node affinity"), "volume is on another node"),
    (pattern(r"(?i)max volume count"), "too many volumes on every node"),
    (pattern(r"(?i)\d+ node\(s\) were unschedulable"), "cordoned"),
    (pattern(r"(?i)untolerated taint(?:\(s\))?(?: \{(?P<taint>[\w./-]+))?"), "untolerated taint"),
)
"""The scheduler's causes in few words, those first that are about the service; None: they are few already."""

MOUNTING: Final = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
SANDBOX: Final = ("FailedCreatePodSandBox",)
BEGUN: Final = ("Pulling", "Pulled")
"""Events of a pod that has got past both: a kubelet does not update the status while it pulls."""
ABSENT: Final = pattern(r"(?i)not found|no such file or directory|does not exist|is not a \w+")
NOT_REGISTERED: Final = repeated(r"(?i)not found in the list of registered")
"""In a failed mount: what should be mounted is not there. (A driver that is not registered may be starting.)"""
VOLUME: Final = pattern(r"volume \"(?P<name>[^\"]+)\"")
VOLUME_FAILED: Final = repeated(r"^\S+ failed for volume \"[^\"]*\"\s*:\s*")
STORAGE_CLASS_NOT_FOUND: Final = pattern(r"storageclass\S* \"(?P<name>[^\"]+)\" not found")
NOT_PROVISIONED: Final = repeated(r"^failed to provision volume with StorageClass \"[^\"]*\": ")
READINESS_GATE: Final = pattern(r"readiness gate \"(?P<gate>[^\"]+)\"")
POD_FORBIDDEN: Final = repeated(r"^pods \"[^\"]*\" is forbidden: ")
OWN_STORAGE: Final = (
    pattern(r"EmptyDir volume \"(?P<what>[^\"]+)\" exceeds the limit \"(?P<limit>[^\"]+)\""),
    pattern(r"Pod (?P<what>ephemeral local storage) usage exceeds the total limit of containers (?P<limit>\S+)\. "),
    pattern(r"Container (?P<what>\S+) exceeded its local ephemeral storage limit \"(?P<limit>[^\"]+)\""),
)
"""Evictions for what a pod writes itself. All others are the node's own business."""


def node_lost(subject: PodSubject) -> Match | None:
    """Find a pod whose node does not report, or reports that it is not ready. The status of such a pod is old."""
    pod = subject.pod
    node = subject.results.nodes.get(pod.node) if pod.node else None
    if node is None or node.ready == "True":
        return None
    what = "is not ready" if node.ready == "False" else "does not answer"
    since = max(node.ready_since, pod.bound_at or node.ready_since) if node.ready_since else None
    return Match(f"node {pod.node}: Ready is {node.ready}", {"silence": what}, since)


def unschedulable(subject: PodSubject) -> Match | None:
    """Find a pod for which the scheduler finds no node. There is more time while an autoscaler orders a node."""
    pod = subject.pod
    if pod.unschedulable is None:
        return None
    coming = subject.results.newest_event(pod.uid, *SCALING_UP)
    grace = SCALE_UP_GRACE if coming else None
    return Match(pod.unschedulable, {"cause": _why_no_node(pod.unschedulable)}, grace=grace)


def _why_no_node(words: str) -> str:
    words, _, _ = words.partition(" preemption: ")
    found = []
    for cause_of, short in NO_NODE:
        if match := cause_of.search(words):
            taint = match.groupdict("").get("taint")
            found.append(f"{short} {taint}" if taint else short or match.group(0).lower())
    if found:
        return ", ".join(found)
    _, _, causes = words.partition(": ")
    return one_line((causes or words).split(". ")[0].rstrip("."), limits.CAUSE_BYTES)


def volume_unbound(subject: PodSubject) -> Match | None:
    """Find a pod that waits for a volume that is not provided."""
    pod = subject.pod
    if pod.node is not None:
        return None
    claim = next((each for each in subject.claims if each.key.name in pod.claims and each.phase != "Bound"), None)
    if claim is None:
        return None
    failure = subject.results.newest_event(claim.uid, "ProvisioningFailed", "FailedBinding")
    why = _why_no_volume(claim, failure.message if failure else "")
    is_unbound = pod.unschedulable is not None and "unbound immediate" in pod.unschedulable
    waiting = subject.results.newest_event(claim.uid, "ExternalProvisioning")
    if not why and not is_unbound and waiting is None:
        return None
    evidence = next(
        (each.message for each in (failure, waiting) if each), pod.unschedulable or f"the claim is {claim.phase}"
    )
    values = {"volume": claim.key.name, "cause": why or "no volume has been provided yet"}
    return Match(evidence, values, grace=None if why else UNEXPLAINED_VOLUME_GRACE)


def _why_no_volume(claim: ObservedChild, failure: str) -> str:
    if missing := STORAGE_CLASS_NOT_FOUND.search(failure):
        return f'storage class "{missing["name"]}" not found'
    if "no storage class is set" in failure or (not failure and claim.storage_class is None):
        return "no storage class"
    if not failure:
        return ""
    return cause(NOT_PROVISIONED.sub("", failure))


def mount_fails(*, absent: bool) -> PodPredicate:
    """Find a pod whose node cannot mount a volume: because it does not exist, or for another cause."""

    def sees(subject: PodSubject) -> Match | None:
        pod = subject.pod
        if (failure := _held_up_by(pod, subject, MOUNTING)) is None:
            return None
        if bool(ABSENT.search(NOT_REGISTERED.sub("", failure.message))) is not absent:
            return None
        named = VOLUME.search(failure.message)
        volume = pod.claims[0] if len(pod.claims) == 1 else named["name"] if named else "?"
        why = VOLUME_FAILED.sub("", failure.message)
        return Match(failure.message, {"volume": volume, "cause": cause(why)})

    return sees


def sandbox_fails(subject: PodSubject) -> Match | None:
    """Find a pod that gets no network, or nothing else that its containers need."""
    pod = subject.pod
    if (failure := _held_up_by(pod, subject, SANDBOX)) is None:
        return None
    return Match(failure.message, {"cause": cause(failure.message)})


def _held_up_by(pod: ObservedPod, subject: PodSubject, reasons: tuple[str, ...]) -> ObservedEvent | None:
    """Return the event of one of these reasons, if no newer one is about what comes before the containers."""
    newest = subject.results.newest_event(pod.uid, *MOUNTING, *SANDBOX, *BEGUN)
    return newest if is_pending_start(pod) and newest is not None and newest.reason in reasons else None


def is_pending_start(pod: ObservedPod) -> bool:
    """Return whether a pod on a node has not reached its first container, and does not report what it waits for."""
    return (
        pod.node is not None
        and not pod.sandbox_ready
        and pod.container.waiting_reason in {"", *CREATING}
        and not pod.container.ended
    )


def exceeds_its_storage(evicted: Sequence[ObservedPod]) -> Match | None:
    """Find pods that are evicted repeatedly for what they write themselves."""
    guilty = [(pod, found) for pod in evicted for limit in OWN_STORAGE if (found := limit.search(pod.message))]
    if not guilty:
        return None
    pod, found = guilty[-1]
    return Match(pod.message, found.groupdict(""), open_ended=len(guilty) == 1)


def gate_closed(subject: PodSubject) -> Match | None:
    """Find a pod whose containers are ready, and whose readiness gate (of a load balancer, say) has not passed."""
    pod = subject.pod
    if not pod.gate:
        return None
    named = READINESS_GATE.search(pod.gate)
    return Match(pod.gate, {"gate": named["gate"] if named else "?"}, pod.unready_since)


def refused_pods(says: str) -> Callable[[str], Match | None]:
    """Find a Deployment that is not allowed to create its pods, in a refusal that matches `says`."""
    says_so = pattern(f"(?is){says}")

    def find(refusal: str) -> Match | None:
        # Every attempt has another pod's name, and is the same refusal.
        refusal = POD_FORBIDDEN.sub("", refusal)
        if not refusal or not (found := says_so.search(refusal)):
            return None
        return Match(refusal, {"cause": one_line(found["cause"], limits.CAUSE_BYTES)})

    return find


def problem(kind: ProblemKind) -> Callable[[Problem], Match | None]:
    """Find an object that could not be written."""

    def find(problem: Problem) -> Match | None:
        if problem.kind != kind:
            return None
        return Match(problem.message, {"cause": one_line(problem.message, limits.CAUSE_BYTES)})

    return find
