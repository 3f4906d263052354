"""Rules about containers that run and are not ready."""

from typing import Final

from mill_operator.core.verdicts.container_predicates import unready
from mill_operator.core.verdicts.pod_predicates import gate_closed
from mill_operator.core.verdicts.rule import PodRule, Rule, Speed, seconds

UNREADY: Final = "unready"
GATE: Final = "readiness-gate"
STARTING: Final = frozenset({UNREADY, GATE})
"""Rules that are no suspicion before their time is up: a service that starts looks like that."""

READINESS: Final[tuple[Rule, ...]] = (
    PodRule(
        id=UNREADY,
        code="HealthCheckTimeout",
        speed=Speed.NEEDS_TIME,
        grace=seconds(30),
        predicate=unready,
        evidence="a container that runs and is not ready; the larger of 30 s and `interval` times `failure_threshold`",
        message="health check timeout after {budget}",
        suggestion="Check whether the program listens on the port and answers the health path: mill logs {service}",
    ),
    PodRule(
        id=GATE,
        code="ReadinessGate",
        speed=Speed.NEEDS_TIME,
        grace=seconds(300),
        predicate=gate_closed,
        evidence="containers that are ready, and a readiness gate of the pod that has not passed",
        message='not admitted by readiness gate "{gate}"',
        suggestion="Find out which controller sets that condition of the pod, such as a load balancer's.",
    ),
)
