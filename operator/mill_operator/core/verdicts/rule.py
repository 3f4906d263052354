"""Rows of the table of rules: texts, times, and a predicate of one kind of subject.

The predicate of a rule gets exactly the kind of its class: none has to check whether there is a pod at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.rule_input import (
    CreationSubject,
    EvictionSubject,
    Match,
    PodSubject,
    Problem,
    Subject,
    WriteSubject,
)


class Speed(StrEnum):
    """Speed at which a reason becomes a failure."""

    PERMANENT = "permanent"
    """At once: only a change can heal it."""
    LIKELY = "likely"
    """After a short grace period: it may be a flake, or an object that is created a moment later."""
    NEEDS_TIME = "needs time"
    """After a longer grace period: it is normal for a while."""
    NO_EVIDENCE = "no evidence"
    """Never by itself: it is not the service's, and only the time without progress ends it."""


AT_ONCE: Final = timedelta(0)
UNTIL_DUE: Final = timedelta.max
"""Of what is no suspicion until its time is up."""


def seconds(count: float) -> timedelta:
    """Return a time span."""
    return timedelta(seconds=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a service or a run is suspected or has failed: the texts and times of it."""

    id: str
    """Unique, and stored in the status: never renamed."""
    code: str
    """The reason that people see; several rules may share one."""
    speed: Speed
    grace: timedelta
    """How long it may last before it is a failure; zero for what is permanent."""
    evidence: str
    """The condition that has to be observed, for the documentation."""
    message: str
    """One sentence; `{names}` come from the match and from what was requested."""
    suggestion: str
    """The remedy, in the imperative; the same names."""
    detail: str = ""
    """What matters beside the message; the same names. It is left out where one of them is empty."""
    expected_for: timedelta | None = None
    """How long it is normal, and not even a suspicion; None: it is one at once."""
    is_patient: bool = False
    """Whether a service that refers to others is suspected only, while one of them serves nothing."""
    is_own_fault: bool = False
    """Whether it is the version's own: its image, start, run or health. A version is taken back for nothing else."""
    timer_group: str = ""
    """Reasons of one group share a timer: a registry that fails for changing causes fails all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Reason):
    """A row of the table."""

    def match(self, subject: Subject) -> Match | None:
        """Return what the rule finds in a subject; None for nothing, and for subjects of another kind."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRule(Rule):
    """Looks at a pod with one of its containers."""

    predicate: Callable[[PodSubject], Match | None]

    def match(self, subject: Subject) -> Match | None:
        """Return what the rule finds in a pod."""
        return self.predicate(subject) if isinstance(subject, PodSubject) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationRule(Rule):
    """Looks at the message with which the API server refuses the pods of a Deployment or a Job."""

    predicate: Callable[[str], Match | None]

    def match(self, subject: Subject) -> Match | None:
        """Return what the rule finds in a refusal."""
        return self.predicate(subject.refusal) if isinstance(subject, CreationSubject) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRule(Rule):
    """Looks at a problem of writing an object."""

    predicate: Callable[[Problem], Match | None]

    def match(self, subject: Subject) -> Match | None:
        """Return what the rule finds in a problem."""
        return self.predicate(subject.problem) if isinstance(subject, WriteSubject) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionRule(Rule):
    """Looks at the pods of a service that nodes have evicted, oldest first."""

    predicate: Callable[[Sequence[ObservedPod]], Match | None]

    def match(self, subject: Subject) -> Match | None:
        """Return what the rule finds in evicted pods."""
        return self.predicate(subject.pods) if isinstance(subject, EvictionSubject) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionRule(Rule):
    """Looks at the pods of a service that nodes have evicted or rejected of late, oldest first."""

    predicate: Callable[[Sequence[ObservedPod]], Match | None]

    def match(self, subject: Subject) -> Match | None:
        """Return what the rule finds in these pods."""
        return self.predicate(subject.recent) if isinstance(subject, EvictionSubject) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRule(Rule):
    """Looks at the Job of a run, whether its pod exists or not."""

    predicate: Callable[[ObservedJob], Match | None]

    def match(self, subject: Subject) -> Match | None:
        """Return what the rule finds in a Job."""
        job = subject.job if isinstance(subject, PodSubject | CreationSubject) else None
        return self.predicate(job) if job is not None else None
