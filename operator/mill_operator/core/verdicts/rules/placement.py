"""Rules about pods that cannot be placed."""

from typing import Final

from mill_operator.core.verdicts.pod_predicates import evicted_again, rejected_again
from mill_operator.core.verdicts.rule import AT_ONCE, PodRule, RejectionRule, Rule, Speed, seconds
from mill_operator.core.verdicts.scheduling_predicates import (
    Obstacle,
    excluded_by_place,
    gated,
    lacks_gpu,
    scheduler_error,
    unschedulable,
)

NO_NODE: Final = "unschedulable"
"""The timer of pods without a node: the cause that most nodes have changes with the nodes."""
SCHEDULING_GATE: Final = "scheduling-gate"
GRACE: Final = seconds(120)
MESSAGE: Final = "no nodes available: {cause}"

PLACEMENT: Final[tuple[Rule, ...]] = (
    RejectionRule(
        id="pods-rejected",
        code="PodRejected",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=rejected_again,
        evidence="three pods that kubelets reject one after the other; two are a suspicion; five minutes where a"
        " device or an agent of the node is not up yet",
        message="pods rejected by node {node}: {cause}",
        suggestion="Fix what the message names, or ask your cluster administrator.",
    ),
    RejectionRule(
        id="pods-evicted",
        code="Evicted",
        speed=Speed.NO_EVIDENCE,
        grace=AT_ONCE,
        predicate=evicted_again,
        evidence="two pods that nodes evict within ten minutes for a lack of memory or disk",
        message="evicted {count} times: {cause}",
        suggestion="Request as much memory and storage as the program uses, or ask your cluster administrator to check"
        " the nodes.",
    ),
    PodRule(
        id=SCHEDULING_GATE,
        code="SchedulingGated",
        speed=Speed.NO_EVIDENCE,
        grace=AT_ONCE,
        predicate=gated,
        evidence="`SchedulingGated`: a controller, such as a queue, holds the pod back for as long as it wants",
        message="waiting for the scheduling gate {gates}",
        suggestion="Check the queue or quota of the controller that sets that scheduling gate.",
    ),
    PodRule(
        id="scheduler-error",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=scheduler_error,
        evidence="`SchedulerError`: the scheduler could not bind the pod or its volume, and tries again",
        message="not scheduled: {cause}",
        suggestion="Check the pod and its claims: kubectl describe pods,pvc -l mill.dev/service={service}",
        timer_group=NO_NODE,
    ),
    PodRule(
        id="unschedulable-nodes",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=unschedulable(Obstacle.NODES),
        evidence="most nodes are down, cordoned, or under pressure",
        message=MESSAGE,
        suggestion="Check the nodes: kubectl get nodes. Release one that is cordoned: kubectl uncordon NODE",
        timer_group=NO_NODE,
    ),
    PodRule(
        id="unschedulable-volume",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=unschedulable(Obstacle.VOLUMES),
        evidence="the volume is on another node or in another zone, does not exist, or the nodes have too many",
        message=MESSAGE,
        suggestion="Check where the volume is: kubectl describe pvc {volume}. A node there must have room for the pod.",
        timer_group=NO_NODE,
    ),
    PodRule(
        id="unschedulable-port",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=unschedulable(Obstacle.PORTS),
        evidence="a host port that something injects into the pod is taken on most nodes",
        message=MESSAGE,
        suggestion="Use fewer replicas than nodes, or another host port.",
        timer_group=NO_NODE,
    ),
    PodRule(
        id="unschedulable-place",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=excluded_by_place,
        evidence="the node selector that `place` makes excludes most nodes",
        message=MESSAGE,
        detail="{excluded} `place`: {place}",
        suggestion="Correct `place`, or label a node so: kubectl get nodes --show-labels",
        timer_group=NO_NODE,
    ),
    PodRule(
        id="unschedulable-placement",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=unschedulable(Obstacle.PLACEMENT),
        evidence="labels, taints, affinities or spread constraints exclude most nodes",
        message=MESSAGE,
        suggestion="Check the labels and taints of the nodes: kubectl describe nodes",
        timer_group=NO_NODE,
    ),
    PodRule(
        id="unschedulable-devices",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=unschedulable(Obstacle.DEVICES),
        evidence="no node has the devices that the pod claims (dynamic resources)",
        message=MESSAGE,
        suggestion="Check the claims: kubectl get resourceclaims",
        timer_group=NO_NODE,
    ),
    PodRule(
        id="unschedulable-other",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=unschedulable(Obstacle.OTHER),
        evidence="the scheduler finds no node, for any other cause",
        message=MESSAGE,
        suggestion="Fix what the message names, or ask your cluster administrator.",
        timer_group=NO_NODE,
    ),
    PodRule(
        id="unschedulable-gpu",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=lacks_gpu,
        evidence="most nodes do not have the GPUs that the pod requests, or their device plugin does not report them;"
        " five minutes more when an autoscaler orders a node",
        message=MESSAGE,
        detail="{lacking} `gpu`",
        suggestion="Request fewer by `gpu`, or add a node that has them. A node without the device plugin of its GPUs"
        " reports none.",
        timer_group=NO_NODE,
    ),
    PodRule(
        id=NO_NODE,
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=GRACE,
        predicate=unschedulable(Obstacle.RESOURCES),
        evidence=(
            "most nodes do not have what the pod requests; the timer starts again when one more pod is ready; five"
            " minutes more when an autoscaler orders a node"
        ),
        message=MESSAGE,
        detail="largest node: {largest}",
        suggestion="Request less cpu or memory, or add a node.",
        timer_group=NO_NODE,
    ),
)
