"""Rules for runs of tasks beyond those for any pod, and the table of both.

A run is one attempt: what a node does to its pod is no flake that another pod makes good, but the run's end.
"""

from typing import Final

from mill_api.durations import format_duration
from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.verdicts.rule import AT_ONCE, PodRule, Rule, RunRule, Speed, seconds
from mill_operator.core.verdicts.rule_input import Match, PodSubject
from mill_operator.core.verdicts.rules import TABLE
from mill_operator.core.verdicts.rules.nodes import NODE_LOST

BY_DEADLINE: Final = "DeadlineExceeded"


def timed_out(job: ObservedJob) -> Match | None:
    """Find a Job that ends its pod because the task's time is over."""
    if job.failure is None or job.failure.reason != BY_DEADLINE:
        return None
    return Match(job.failure.message, {"timeout": format_duration(job.deadline * 10**9)})


def evicted(subject: PodSubject) -> Match | None:
    """Find a pod that the cluster ends: eviction, preemption, a taint, a shutdown."""
    pod = subject.pod
    if not pod.eviction_message or not (pod.terminating or pod.phase == "Failed"):
        return None
    return Match(pod.eviction_message, {"cause": one_line(pod.eviction_message, limits.CAUSE_BYTES)})


def unexplained(job: ObservedJob) -> Match | None:
    """Find a Job that has failed while its pod does not say why: it is gone, or our watch of pods is behind."""
    if job.failure is None:
        return None
    return Match(job.failure.message, {"cause": one_line(job.failure.message, limits.CAUSE_BYTES)})


TIMED_OUT: Final = RunRule(
    id="run-timeout",
    code="DeadlineExceeded",
    speed=Speed.PERMANENT,
    grace=AT_ONCE,
    predicate=timed_out,
    evidence="a run's Job that ends it after the task's `timeout`",
    message="timed out after {timeout}",
    # Kubernetes deletes its pod, and its log with it.
    suggestion="Raise the task's `timeout`, or find out what takes so long: `mill spawn --wait` prints the log.",
)
EVICTED: Final = PodRule(
    id="run-evicted",
    code="Evicted",
    speed=Speed.PERMANENT,
    grace=AT_ONCE,
    predicate=evicted,
    evidence="a run's pod with the condition `DisruptionTarget`, or with the status `Evicted` or a similar one",
    message="evicted from node {node}: {cause}",
    suggestion="Spawn it again: a run is not retried by itself, since it may have done half of its work.",
)
UNEXPLAINED: Final = RunRule(
    id="run-failed",
    code="RunFailed",
    speed=Speed.LIKELY,
    grace=seconds(2),
    predicate=unexplained,
    evidence="a run's Job that has failed, and no pod that says why",
    message="its pod is gone: {cause}",
    suggestion="Spawn it again: its pod was deleted, and a run is not retried by itself.",
)
RUN_RULES: Final[tuple[Rule, ...]] = (TIMED_OUT, EVICTED, UNEXPLAINED)

RUN_TABLE: Final[tuple[Rule, ...]] = (
    TIMED_OUT,
    NODE_LOST,  # a lost node's pod is evicted too, in the end
    EVICTED,
    *(rule for rule in TABLE if rule is not NODE_LOST),
    UNEXPLAINED,
)
"""Every rule for a run, in the order in which they are tried."""
RUN_BY_ID: Final = {rule.id: rule for rule in RUN_TABLE}
