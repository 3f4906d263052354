"""Predicates of pods that the scheduler does not place: every cause that it names, those of most nodes first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from mill_api.place_rules import GPU_RESOURCE
from mill_api.quantities import show_size
from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.observed.messages import cause
from mill_operator.core.patterns import Pattern, pattern
from mill_operator.core.verdicts.rule_input import Match, PodSubject
from mill_operator.core.verdicts.waiting_predicates import PodPredicate

SCALING_UP: Final = ("TriggeredScaleUp", "Nominated")
"""Events of an autoscaler that has ordered a node for a pod: the cluster autoscaler's and Karpenter's."""
SCALE_UP_GRACE: Final = timedelta(seconds=120) + timedelta(minutes=5)
"""How long a pod may have no node while an autoscaler orders one: five minutes more than the rule's grace period."""


class Obstacle(Enum):
    """What keeps a pod from nodes, by what can be done about it."""

    RESOURCES = auto()
    """The nodes do not have what the pod requests."""
    NODES = auto()
    """The nodes are down, cordoned or under pressure."""
    VOLUMES = auto()
    """The pod's volume is elsewhere, or not there."""
    PORTS = auto()
    """A port of the node is taken."""
    PLACEMENT = auto()
    """Labels, taints, affinities and spread constraints exclude the nodes."""
    DEVICES = auto()
    """Dynamic resources cannot be allocated."""
    OTHER = auto()


NO_NODE_MATCHES: Final = "node selector matches none"
"""The cause in few words of a node selector or node affinity."""
KNOWN: Final[tuple[tuple[Pattern, str, Obstacle], ...]] = (
    (pattern(r"(?i)insufficient [\w/-]+(?:\.[\w/-]+)*"), "", Obstacle.RESOURCES),
    (pattern(r"(?i)too many pods"), "too many pods on every node", Obstacle.RESOURCES),
    (pattern(r"(?i)enough free storage"), "not enough free storage", Obstacle.RESOURCES),
    (pattern(r"(?i)Pod's node affinity|didn't match node selector|MatchNodeSelector"), NO_NODE_MATCHES,
     Obstacle.PLACEMENT),
    (pattern(r"(?i)topology spread"), "topology spread constraints", Obstacle.PLACEMENT),
    (pattern(r"(?i)anti-?affinity"), "pod anti-affinity", Obstacle.PLACEMENT),
    (pattern(r"(?i)pod affinity|MatchInterPodAffinity"), "pod affinity", Obstacle.PLACEMENT),
    (pattern(r"(?i)free ports|PodFitsHostPorts"), "host port in use", Obstacle.PORTS),
    (pattern(r"(?i)PersistentVolume's node affinity|volume node affinity"), "volume is on another node",
     Obstacle.VOLUMES),
    (pattern(r"(?i)available volume zone|NoVolumeZoneConflict"), "volume is in another zone", Obstacle.VOLUMES),
    (pattern(r"(?i)non-existent p(?:v|ersistentvolume)"), "volume no longer exists", Obstacle.VOLUMES),
    (pattern(r"(?i)max volume count"), "too many volumes on every node", Obstacle.VOLUMES),
    (pattern(r"(?i)available persistent volumes to bind"), "no volume to bind", Obstacle.VOLUMES),
    (pattern(r"(?i)unbound immediate PersistentVolumeClaims"), "volume is not provisioned", Obstacle.VOLUMES),
    (pattern(r"(?i)persistentvolumeclaim \"[^\"]*\" (?:is )?(?:not found|being deleted)"), "", Obstacle.VOLUMES),
    (pattern(r"(?i)ReadWriteOncePod access mode already in-use"), "volume is in use by another pod", Obstacle.VOLUMES),
    (pattern(r"(?i)no available disk|NoDiskConflict"), "volume is in use", Obstacle.VOLUMES),
    (pattern(r"(?i)were unschedulable|NodeUnschedulable"), "cordoned", Obstacle.NODES),
    (pattern(r"(?i)(?:were|was) not ready|NodeNotReady"), "not ready", Obstacle.NODES),
    (pattern(r"(?i)(?:memory|disk|pid) ?pressure"), "", Obstacle.NODES),
    (pattern(r"(?i)unavailable network|out of disk"), "", Obstacle.NODES),
    (pattern(r"(?i)cannot allocate all claims"), "", Obstacle.DEVICES),
    (pattern(r'(?i)[^"]*(?:resource ?claim|dynamic resource|device class)[^"]*'), "", Obstacle.DEVICES),
)  # fmt: skip
"""The scheduler's causes in few words; empty: they are few already."""
TAINT: Final = pattern(
    r"(?i)untolerated taint(?:\(s\))?(?: \{(?P<key>[^:}]+))?|had taint \{(?P<old>[^:}]+)|taints that the pod didn't"
)
NODE_TAINTS: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "ToBeDeleted", "unschedulable")
"""Beginnings of taints that a controller sets on a node that is down, cordoned, or not set up yet."""
STARTING_OR_LEAVING: Final = pattern(
    r"(?i)not-?ready|uninitialized|unregistered|^karpenter\.sh/disrupt|^DeletionCandidate|out-of-service|shutdown"
)
"""Parts of the names of taints of other agents for the same: a network's, a storage driver's, an autoscaler's."""
COUNTED: Final = pattern(r"^(?P<before>\d{1,9}) (?P<text>.+)$|^(?P<other>.+) \((?P<after>\d{1,9})\)$")
ALL_ARE_LISTED: Final = pattern(r"(?i)nodes? (?:is|are) available|running |^$")
"""Before the causes of all nodes."""
LISTS_NONE: Final = pattern(r"0/\d{1,9} nodes are available: ?")
NO_CAUSE_NAMED: Final = "the scheduler names no cause"
"""As that of Kubernetes 1.31 does of a volume whose node does not exist."""
ABOUT_NODES: Final = "node(s) "
CONTINUED: Final = "that the pod didn't tolerate"
INSUFFICIENT: Final = "insufficient "
IS_GPU: Final = pattern(GPU_RESOURCE)
ALL_NODES_COUNTED: Final = pattern(r"0/(?P<total>\d{1,9}) nodes")
NOT_FREE: Final = ", not enough free"
IN_BYTES: Final = ("memory", "ephemeral-storage", "hugepages-")
"""Beginnings of the names of resources that are counted in bytes."""
ALL_NODES: Final = 10**9
"""The count of a cause that is about the pod itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause that the scheduler names."""

    text: str
    obstacle: Obstacle
    nodes: int


def unschedulable(*obstacles: Obstacle) -> PodPredicate:
    """Find a pod for which the scheduler finds no node, mostly for one of these obstacles.

    There is more time while an autoscaler orders a node.
    """

    def find(subject: PodSubject) -> Match | None:
        pod = subject.pod
        if pod.unschedulable is None:
            return None
        causes = scheduling_causes(pod.unschedulable)
        if causes[0].obstacle not in obstacles:
            return None
        coming = subject.results.newest_event(pod.uid, *SCALING_UP)
        text = one_line(", ".join(each.text for each in causes), limits.CAUSE_BYTES)
        values = {
            "cause": text,
            "volume": next(iter(pod.claims), "NAME"),
            "largest": largest_amounts(causes, subject.results.largest_node, pod.requests),
        }
        return Match(pod.unschedulable, values, grace=SCALE_UP_GRACE if coming else None)

    return find


def excluded_by_place(subject: PodSubject) -> Match | None:
    """Find a pod with a node selector, which most nodes do not match."""
    pod = subject.pod
    match = unschedulable(Obstacle.PLACEMENT)(subject)
    if match is None or not pod.node_selector:
        return None
    first = scheduling_causes(match.evidence)[0]
    if first.text != NO_NODE_MATCHES:
        return None
    labels = ", ".join(f"{name}={value}" for name, value in sorted(pod.node_selector.items()))
    excluded = _of_nodes(match.evidence, first.nodes, "does not match", "do not match")
    return replace(match, values={**match.values, "place": labels, "excluded": excluded})


def lacks_gpu(subject: PodSubject) -> Match | None:
    """Find a pod that requests GPUs, which most nodes do not have."""
    match = unschedulable(Obstacle.RESOURCES)(subject)
    if match is None:
        return None
    first = scheduling_causes(match.evidence)[0]
    if not IS_GPU.fullmatch(first.text.removeprefix(INSUFFICIENT)):
        return None
    lacking = _of_nodes(match.evidence, first.nodes, "does not have enough for", "do not have enough for")
    return replace(match, values={**match.values, "lacking": lacking})


def _of_nodes(message: str, count: int, one: str, several: str) -> str:
    """Return how many of all nodes something holds of, as far as the scheduler says it."""
    found = ALL_NODES_COUNTED.match(message)
    total = f" of {found['total']}" if found else ""
    if count >= ALL_NODES:  # it names none
        return f"the nodes {several}"
    noun = "node" if count == 1 and not total else "nodes"
    return f"{count}{total} {noun} {one if count == 1 else several}"


def largest_amounts(causes: Iterable[Cause], largest: Mapping[str, float], requests: Mapping[str, float]) -> str:
    """Return how much of the resources that do not suffice the largest node has; empty if that is not known.

    A node that has as much as the pod requests is full, and not too small.
    """
    names = [each.text.removeprefix(INSUFFICIENT) for each in causes if each.text.startswith(INSUFFICIENT)]
    known = [each for each in names if each in largest]
    full = {each for each in known if 0 < requests.get(each, 0) <= largest[each]}
    texts = [f"{_amount(each, largest[each])}{NOT_FREE if each in full else ''}" for each in known]
    return ("; " if full else ", ").join(texts)


def _amount(resource: str, amount: float) -> str:
    if resource == "cpu":
        return f"{amount:.3g} CPU {'core' if amount == 1 else 'cores'}"
    return show_size(int(amount)) if resource.startswith(IN_BYTES) else f"{amount:g} {resource}"


def lacks_resources(message: str) -> bool:
    """Return whether most nodes do not have what a pod requests, by the scheduler's message."""
    return scheduling_causes(message)[0].obstacle is Obstacle.RESOURCES


def scheduler_error(subject: PodSubject) -> Match | None:
    """Find a pod that the scheduler could not place because of an error, such as a volume that it could not bind."""
    message = subject.pod.scheduler_error
    return Match(message, {"cause": cause(message)}) if message else None


def gated(subject: PodSubject) -> Match | None:
    """Find a pod that a controller, such as a queue, holds back from scheduling. It lasts as long as that wants."""
    pod = subject.pod
    if not pod.gated:
        return None
    gates = " ".join(pod.scheduling_gates) or "of another controller"
    return Match(pod.gated, {"gates": gates}, open_ended=True, waits=True)


@lru_cache(maxsize=256)  # every row about scheduling asks for the same
def scheduling_causes(message: str) -> tuple[Cause, ...]:
    """Return every cause in a scheduler's message, those of most nodes first; there is at least one."""
    found: dict[str, Cause] = {}
    for count, text in _parts(message):
        short, obstacle = _short(text)
        nodes = found[short].nodes + count if short in found else count
        found[short] = Cause(short, obstacle, nodes)
    causes = sorted(found.values(), key=lambda each: -each.nodes)
    unnamed = NO_CAUSE_NAMED if message else ""
    return tuple(causes) or (Cause(unnamed, Obstacle.OTHER, 0),)


def _parts(message: str) -> Iterator[tuple[int, str]]:
    """Yield the number of nodes and the text of each cause."""
    text = message.partition(" preemption: ")[0]
    if LISTS_NONE.fullmatch(text):
        return
    before, colon, listed = text.partition(": ")
    if not ALL_ARE_LISTED.search(before):  # another scheduler's, such as a queue's
        colon = ""
    parts: list[str] = []
    for part in (listed if colon else text).partition(". ")[0].rstrip(".").split(", "):
        if part.startswith(CONTINUED) and parts:
            parts[-1] = f"{parts[-1]}, {part}"
        else:
            parts.append(part)
    for part in filter(None, parts):
        counted = COUNTED.match(part)
        if counted is None:
            yield ALL_NODES, part
        else:
            before, about, other, after = counted.groups("")
            yield int(before or after), about or other


def _short(text: str) -> tuple[str, Obstacle]:
    if taint := TAINT.search(text):
        key, old = taint.groups("")
        name = key or old
        is_node = name.startswith(NODE_TAINTS) or STARTING_OR_LEAVING.search(name) is not None
        return f"untolerated taint {name}".strip(), Obstacle.NODES if is_node else Obstacle.PLACEMENT
    for known, short, obstacle in KNOWN:
        if found := known.search(text):
            return short or found.group(0).removeprefix(ABOUT_NODES).strip().lower(), obstacle
    return text.removeprefix(ABOUT_NODES), Obstacle.OTHER
