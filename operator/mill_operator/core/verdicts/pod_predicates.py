"""Predicates of what is around a pod: its node, evictions and rejections, and what keeps it from being created."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.observed.messages import cause
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.patterns import pattern, repeated
from mill_operator.core.verdicts.rule_input import Match, PodSubject, Problem, ProblemKind

READINESS_GATE: Final = pattern(r"readiness gate \"(?P<gate>[^\"]+)\"")
POD_FORBIDDEN: Final = repeated(r"^pods \"[^\"]*\" is forbidden: ")
POD_NAME: Final = repeated(r"\bPod/[\w.-]+/[\w.-]+")
"""The name of a pod that is not created, as Kyverno writes it."""
OF_A_NEW_NODE: Final = pattern(r"(?i)\b(?:devices?|endpoint not found|taints?|TaintToleration)\b")
NEW_NODE_GRACE: Final = timedelta(minutes=5)
"""A node that starts rejects pods until the plugin of their devices is up, or the agent that removes its taint."""
POD_REJECTED: Final = repeated(r"^Pod (?:was rejected: )?")
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


def exceeds_its_storage(evicted: Sequence[ObservedPod]) -> Match | None:
    """Find pods that are evicted repeatedly for what they write themselves."""
    guilty = [(pod, found) for pod in evicted for limit in OWN_STORAGE if (found := limit.search(pod.message))]
    if not guilty:
        return None
    pod, found = guilty[-1]
    return Match(pod.message, found.groupdict(""), open_ended=len(guilty) == 1)


def evicted_again(ended: Sequence[ObservedPod]) -> Match | None:
    """Find pods that nodes evict one after the other. That is a suspicion only: the nodes' trouble may be their own."""
    evicted = [pod for pod in ended if pod.reason == "Evicted"]
    if len(evicted) < 2:
        return None
    pod = evicted[-1]
    return Match(pod.message, {"count": str(len(evicted)), "cause": cause(pod.message)}, open_ended=True)


def rejected_again(ended: Sequence[ObservedPod]) -> Match | None:
    """Find pods that kubelets reject one after the other: two are a suspicion, three are more."""
    rejected = [pod for pod in ended if pod.reason != "Evicted"]
    if len(rejected) < 2:
        return None
    pod = rejected[-1]
    why = f"{pod.reason}: {cause(POD_REJECTED.sub('', pod.message))}"
    values = {"node": pod.node or "?", "cause": why}
    grace = NEW_NODE_GRACE if OF_A_NEW_NODE.search(why) else None
    return Match(f"{pod.reason}: {pod.message}", values, grace=grace, open_ended=len(rejected) == 2)


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
        refusal = POD_NAME.sub("Pod", POD_FORBIDDEN.sub("", refusal))
        if not refusal or not (found := says_so.search(refusal)):
            return None
        return Match(refusal, {"cause": cause(found["cause"])})

    return find


def problem(kind: ProblemKind) -> Callable[[Problem], Match | None]:
    """Find an object that could not be written."""

    def find(problem: Problem) -> Match | None:
        if problem.kind != kind:
            return None
        return Match(problem.message, {"cause": one_line(problem.message, limits.CAUSE_BYTES)})

    return find
