"""Rules about containers that run and are not ready."""

from typing import Final

from mill_operator.core.verdicts.container_predicates import nothing_listens, pulling, unready
from mill_operator.core.verdicts.pod_predicates import gate_closed
from mill_operator.core.verdicts.rule import UNTIL_DUE, PodRule, Rule, Speed, seconds

UNREADY: Final = "unready"
UNREADY_PORT: Final = "unready-port"
GATE: Final = "readiness-gate"
SLOW_PULL: Final = PodRule(
    id="pulling",
    code="PullTimeout",
    speed=Speed.NEEDS_TIME,
    grace=seconds(3600),
    expected_for=seconds(300),
    predicate=pulling,
    evidence="a pod that is ready for its containers, and an image that has not been pulled",
    message="pulling for {minutes}m",
    detail="image {image}",
    suggestion="Check the size of the image, and how fast the node's connection to the registry is.",
)

READINESS: Final[tuple[Rule, ...]] = (
    PodRule(
        id=UNREADY_PORT,
        code="HealthCheckTimeout",
        speed=Speed.NEEDS_TIME,
        grace=seconds(30),
        expected_for=UNTIL_DUE,
        predicate=nothing_listens,
        is_patient=True,
        is_own_fault=True,
        evidence="a container that runs and is not ready, as long as for any other cause, and whose probe is refused a"
        " connection",
        message="nothing listens on port {port}: health check timeout after {budget}",
        suggestion="Let the program listen on port {port}, on all addresses (0.0.0.0), or correct `port`. If it needs"
        ' longer to start, set `start = "3m"` in its health block.',
        timer_group=UNREADY,
    ),
    PodRule(
        id=UNREADY,
        code="HealthCheckTimeout",
        speed=Speed.NEEDS_TIME,
        grace=seconds(30),
        expected_for=UNTIL_DUE,
        predicate=unready,
        is_patient=True,
        is_own_fault=True,
        evidence="a container that runs and is not ready, for the time of `start`; without it the larger of 30 s and"
        " `interval` times `failure_threshold`",
        message="health check timeout after {budget}",
        suggestion="Find out why the program does not pass its health check, which without a `health` block is a"
        ' connection to its port: mill logs {service}. If it needs longer to start, set `start = "3m"` in its health'
        " block.",
    ),
    PodRule(
        id=GATE,
        code="ReadinessGate",
        speed=Speed.NEEDS_TIME,
        grace=seconds(300),
        expected_for=UNTIL_DUE,
        predicate=gate_closed,
        evidence="containers that are ready, and a readiness gate of the pod that has not passed",
        message='not admitted by readiness gate "{gate}"',
        suggestion="Find out which controller sets that condition of the pod, such as a load balancer's.",
    ),
)
