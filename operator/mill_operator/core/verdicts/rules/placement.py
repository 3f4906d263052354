"""Rules about pods that cannot be created or placed."""

from typing import Final

from mill_operator.core.verdicts.pod_predicates import refused_pods, unschedulable
from mill_operator.core.verdicts.rule import CreationRule, PodRule, Rule, Speed, seconds

PLACEMENT: Final[tuple[Rule, ...]] = (
    CreationRule(
        id="pods-quota",
        code="QuotaExceeded",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=refused_pods(r"exceeded quota: (?P<cause>.*)"),
        evidence="the Deployment may create no more pods: `exceeded quota`; a pod that gets ready restarts the timer",
        message="quota exceeded: {cause}",
        suggestion="Request less, or ask for a larger quota.",
    ),
    CreationRule(
        id="pods-refused",
        code="PodsRefused",
        speed=Speed.LIKELY,
        grace=seconds(2),
        predicate=refused_pods(r"(?P<cause>.+)"),
        evidence="the Deployment may create no pods: LimitRange, admission",
        message="pods refused: {cause}",
        suggestion="Fix what the message names, or ask your cluster administrator.",
    ),
    PodRule(
        id="unschedulable",
        code="Unschedulable",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=unschedulable,
        evidence=(
            "the scheduler finds no node; the timer starts again when one more pod is ready; five minutes more when an"
            " autoscaler orders a node"
        ),
        message="no nodes available: {cause}",
        suggestion="Request less cpu or memory, or add a node.",
    ),
)
