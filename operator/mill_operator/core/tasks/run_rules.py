"""What can be wrong with a run of a task beyond what can be wrong with any pod, and the table of both.

A run is one attempt: what a node does to its pod is no flake that another pod makes good, but the run's end.
"""

from typing import Final

from mill_api.durations import format_duration
from mill_objects.printable import one_line
from mill_operator.core.observed.messages import CAUSE_LIMIT
from mill_operator.core.verdicts.rule_input import Match, Subject
from mill_operator.core.verdicts.rules import AT_ONCE, LIKELY, PERMANENT, TABLE, Rule, seconds

BY_DEADLINE: Final = "DeadlineExceeded"


def timed_out(subject: Subject) -> Match | None:
    """See a Job that ends its pod because the time that the task has is over."""
    job = subject.job
    if job is None or job.failure is None or job.failure.reason != BY_DEADLINE:
        return None
    return Match(job.failure.message, {"timeout": format_duration(job.deadline * 10**9)})


def eviction_message(subject: Subject) -> Match | None:
    """See a pod that the cluster ends: eviction, preemption, a taint, a shutdown."""
    pod = subject.pod
    if pod is None or not pod.eviction_message or not (pod.terminating or pod.phase == "Failed"):
        return None
    return Match(pod.eviction_message, {"cause": one_line(pod.eviction_message, CAUSE_LIMIT)})


def unexplained(subject: Subject) -> Match | None:
    """See a Job that has failed, while its pod does not say why: it is gone, or our watch of pods is behind."""
    if subject.job is None or subject.job.failure is None:
        return None
    return Match(subject.job.failure.message, {"cause": one_line(subject.job.failure.message, CAUSE_LIMIT)})


TIMED_OUT: Final = Rule(
    "run-timeout", "DeadlineExceeded", PERMANENT, AT_ONCE, timed_out,
    "a run's Job that ends it after the task's `timeout`", "timed out after {timeout}",
    "Raise the task's `timeout`, or see what takes so long: mill logs {service}",
)  # fmt: skip
PUSHED_OUT: Final = Rule(
    "run-evicted", "Evicted", PERMANENT, AT_ONCE, eviction_message,
    "a run's pod with the condition `DisruptionTarget`, or of the status `Evicted` and the like",
    "evicted from node {node}: {cause}",
    "Spawn it again: a run is not tried again by itself, since it may have done half of its work.",
)  # fmt: skip
UNEXPLAINED: Final = Rule(
    "run-failed", "RunFailed", LIKELY, seconds(2), unexplained,
    "a run's Job that has failed, and no pod that says why", "its pod is gone: {cause}",
    "Spawn it again: somebody deleted its pod, and a run is not tried again by itself.",
)  # fmt: skip
RUN_RULES: Final = (TIMED_OUT, PUSHED_OUT, UNEXPLAINED)

NODE_LOST: Final = next(rule for rule in TABLE if rule.id == "node-lost")
RUN_TABLE: Final = (TIMED_OUT, NODE_LOST, PUSHED_OUT, *(rule for rule in TABLE if rule is not NODE_LOST), UNEXPLAINED)
"""Every rule for a run, in the order in which they are asked. A lost node's pod is pushed out too, in the end."""
