"""Everything that can be wrong with a service, one row each: evidence, speed, reason, suggestion.

A new failure reason is a new row here, and a recorded pod in the tests. Rows are read from top to bottom; of several
that match, one whose time is up wins over one that still waits, and then the first.

Three speeds. *Permanent*: nothing but a change can heal it, so it fails at the first sighting. *Likely*: it may
be a flake or an object that is made a moment later, so it is `Suspect` first. *Needs time*: it is normal for a while.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from mill_operator.core.facts import PULL_PROBLEMS, Ended, PodFacts


class Speed(StrEnum):
    """How fast a rule makes a failure."""

    PERMANENT = "permanent"
    LIKELY = "likely"
    NEEDS_TIME = "needs time"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a service was asked to be, as far as the texts and time limits need it."""

    image: str
    memory: str
    secrets: tuple[str, ...] = ()
    budget: timedelta = timedelta(seconds=30)
    """How long a container may take from its first start until it is ready."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong before there could be a pod."""

    kind: str
    """`refused` by the API server, or `taken`: the name belongs to somebody else."""
    message: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule looks at: one pod; or what keeps pods from being made."""

    asked: Asked
    pod: PodFacts | None = None
    refusal: str = ""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A rule's finding."""

    evidence: str
    values: dict[str, str] = field(default_factory=dict)
    """What the reason's text names."""
    since: datetime | None = None
    """When it began, if the evidence itself says so; otherwise the first sighting counts."""
    grace: timedelta | None = None
    """Overrides the rule's."""
    open_ended: bool = False
    """Only a suspicion: no time makes this a failure."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    id: str
    code: str
    speed: Speed
    grace: timedelta
    """How long it may last. None at all for what is permanent."""
    sees: Callable[[Subject], Match | None]
    message: str
    """The reason in plain words; `{names}` come from the match and from what was asked."""
    suggestion: str


def seconds(count: float) -> timedelta:
    """Return a time span."""
    return timedelta(seconds=count)


AT_ONCE: Final = seconds(0)
LONG_RUN: Final = seconds(600)
"""A container that ran for so long before it ended has crashed for the first time: the kubelet sees it so too."""


def waits(reasons: frozenset[str] | set[str], says: str = "") -> Callable[[Subject], Match | None]:
    """See a container that waits for one of these reasons, with a message that matches `says`."""
    pattern = re.compile(says, re.IGNORECASE | re.DOTALL)

    def sees(subject: Subject) -> Match | None:
        pod = subject.pod
        if pod is None or pod.waiting_reason not in reasons or not (found := pattern.search(pod.waiting_message)):
            return None
        return Match(pod.waiting_message or pod.waiting_reason, found.groupdict(default=""))

    return sees


def pull(says: str) -> Callable[[Subject], Match | None]:
    """See an image that cannot be pulled, for a cause that the runtime's message names."""
    return waits(PULL_PROBLEMS, says)


def tag_missing(subject: Subject) -> Match | None:
    """See an image that the registry does not have; for a digest it says the same, and so do all registries."""
    says = r":\s*not found\s*$|: not found\b|manifest unknown|name unknown|manifest for .* not found"
    if (match := pull(says)(subject)) is None:
        return None
    what = "digest" if "@sha256:" in subject.asked.image else "tag"
    return Match(match.evidence, {"what": what})


def secret_missing(subject: Subject) -> Match | None:
    """See a container whose environment names a secret that is not there."""
    says = r"couldn't find key (?P<key>\S+) in Secret|secret \"(?P<object>[^\"]+)\" not found"
    if (match := waits({"CreateContainerConfigError"}, says)(subject)) is None:
        return None
    whole_object_missing = next(iter(subject.asked.secrets), match.values["object"])
    return Match(match.evidence, {"secret": match.values["key"] or whole_object_missing})


def cannot_start(says: str) -> Callable[[Subject], Match | None]:
    """See a container that the runtime could not start."""
    pattern = re.compile(says, re.IGNORECASE)
    exec_failed = re.compile(rf"\s*exec \S+: ({says})\s*", re.IGNORECASE)
    waiting = waits({"RunContainerError", "CreateContainerError"}, says)

    def sees(subject: Subject) -> Match | None:
        if match := waiting(subject):
            return match
        end = subject.pod.latest_end if subject.pod else None
        if end is None or end.reason not in ("StartError", "ContainerCannotRun", "Error"):
            return None
        # Programs write such words too: without the runtime's own reason, only its exit codes are believed, or a log
        # that is nothing but what runc writes when it cannot become the program.
        if end.reason == "Error" and end.exit_code not in (126, 127, 128) and not exec_failed.fullmatch(end.message):
            return None
        return Match(end.message) if pattern.search(end.message) else None

    return sees


def crash(*, out_of_memory: bool) -> Callable[[Subject], Match | None]:
    """See a container that ends: the first time is a suspicion, the second a failure."""

    def sees(subject: Subject) -> Match | None:
        pod = subject.pod
        end = pod.latest_end if pod else None
        if pod is None or end is None or (end.reason == "OOMKilled") != out_of_memory:
            return None
        evidence = end.message or f"{end.reason or 'ended'}, exit code {end.exit_code}"
        first = pod.crashes < 2 or _ran_long(end)
        return Match(evidence, {"exit_code": str(end.exit_code)}, open_ended=first)

    return sees


def _ran_long(end: Ended) -> bool:
    return end.started_at is not None and end.finished_at is not None and end.finished_at - end.started_at >= LONG_RUN


def unready(subject: Subject) -> Match | None:
    """See a container that runs and is not ready; its time counts from its first start, or since it was ready last."""
    pod = subject.pod
    if pod is None or pod.running_since is None or pod.ready or pod.first_started is None:
        return None
    budget = subject.asked.budget
    values = {"budget": f"{budget.total_seconds():g}s"}
    since = max(pod.first_started, pod.unready_since or pod.first_started)
    return Match("the container runs and does not become ready", values, since, budget)


def unschedulable(subject: Subject) -> Match | None:
    """See a pod for which the scheduler finds no node; its words begin with how many nodes it has looked at."""
    words = subject.pod.unschedulable if subject.pod else None
    if words is None:
        return None
    known = re.search(
        r"insufficient [\w/-]+(?:\.[\w/-]+)*|untolerated taint[^,.]*|didn't match[^,.]*", words, re.IGNORECASE
    )
    return Match(words, {"cause": (known.group(0) if known else words.split(". ")[0]).lower()})


def refused_pods(says: str) -> Callable[[Subject], Match | None]:
    """See a Deployment that is not allowed to make its pods."""
    pattern = re.compile(says, re.IGNORECASE | re.DOTALL)

    def sees(subject: Subject) -> Match | None:
        if not subject.refusal or not (found := pattern.search(subject.refusal)):
            return None
        return Match(subject.refusal, {"cause": found["cause"][:300]})

    return sees


def problem(kind: str) -> Callable[[Subject], Match | None]:
    """See an object that could not be written."""

    def sees(subject: Subject) -> Match | None:
        if subject.problem is None or subject.problem.kind != kind:
            return None
        return Match(subject.problem.message, {"cause": subject.problem.message[:300]})

    return sees


PULL_THROTTLED: Final = r"pull QPS exceeded|context canceled"
SAYS_NO_CAUSE: Final = re.compile(rf'{PULL_THROTTLED}|^Back-off pulling image "[^"]*"\s*$', re.IGNORECASE)
"""A pull's failure in words that say nothing of its cause: one that is known already stays."""

PERMANENT, LIKELY, NEEDS_TIME = Speed.PERMANENT, Speed.LIKELY, Speed.NEEDS_TIME

TABLE: Final[tuple[Rule, ...]] = (
    Rule(
        "name-taken", "NameTaken", PERMANENT, AT_ONCE, problem("taken"), "{cause}",
        "Rename the service, or delete the object that has its name.",
    ),
    Rule(
        "object-refused", "Refused", PERMANENT, AT_ONCE, problem("refused"), "refused by the cluster: {cause}",
        "The text is the API server's. Change what it names, or ask who runs the cluster.",
    ),
    Rule(
        "image-platform", "WrongPlatform", PERMANENT, AT_ONCE, pull(r"no match for platform|no matching manifest"),
        "image pull failed: not built for the platform of node {node}",
        "Build the image for the node's platform too.",
    ),
    Rule(
        "image-incomplete", "ImageIncomplete", LIKELY, seconds(30),
        pull(r"could not fetch content descriptor|failed to copy|content descriptor.*not found"),
        "image pull failed: incomplete in the registry",
        "Push the image again: a layer is missing in the registry.",
    ),
    Rule(
        "image-name", "InvalidImageName", PERMANENT, AT_ONCE, waits({"InvalidImageName"}),
        "image pull failed: invalid image name", "Correct the image's name.",
    ),
    Rule(
        "image-never-pulled", "ImageNeverPull", PERMANENT, AT_ONCE, waits({"ErrImageNeverPull"}),
        "image pull failed: not on node {node}, and pulling is forbidden", "Put the image on the node.",
    ),
    Rule(
        "image-missing", "TagNotFound", PERMANENT, AT_ONCE, tag_missing, "image pull failed: {what} not found",
        "Check the image's name and tag, and whether it was pushed: a registry says the same of a missing repository.",
    ),
    Rule(
        "image-denied", "PullDenied", LIKELY, seconds(30),
        pull(r"unauthorized|denied|forbidden|authentication required|no basic auth credentials"),
        "image pull failed: access denied",
        "Add the registry's credentials to the namespace's default ServiceAccount (imagePullSecrets).",
    ),
    Rule(
        "pull-throttled", "PullThrottled", NEEDS_TIME, seconds(600), pull(PULL_THROTTLED),
        "image pull failed: {waiting}", "The node is busy pulling; it tries again by itself.",
    ),
    Rule(
        "image-pull", "ImagePullFailed", NEEDS_TIME, seconds(60), pull(r""), "image pull failed: {waiting}",
        "The registry does not answer as it should; the node tries again by itself.",
    ),
    Rule(
        "start-format", "ExecFormatError", PERMANENT, AT_ONCE, cannot_start(r"exec format error"),
        "container start failed: not built for the platform of node {node}",
        "Build the image for the node's platform.",
    ),
    Rule(
        "start-command", "CommandNotFound", PERMANENT, AT_ONCE,
        cannot_start(r"no such file or directory|executable file not found|permission denied"),
        "container start failed: command not found", "Check `command`, and that the image contains the program.",
    ),
    Rule(
        "secret-missing", "SecretNotFound", LIKELY, seconds(10), secret_missing, 'secret "{secret}" not found',
        "Set it: mill secret set {secret} VALUE",
    ),
    Rule(
        "container-config", "ContainerConfigError", LIKELY, seconds(30),
        waits({"CreateContainerConfigError", "CreateContainerError"}), "container not created: {waiting}",
        "The text is the kubelet's.",
    ),
    Rule(
        "out-of-memory", "OutOfMemory", LIKELY, AT_ONCE, crash(out_of_memory=True),
        "out of memory (limit {memory})", "Raise `memory`, or find out what the program needs it for.",
    ),
    Rule(
        "crash", "ContainerExited", LIKELY, AT_ONCE, crash(out_of_memory=False),
        "container exited with code {exit_code}", "See its last words: mill logs {service}",
    ),
    Rule(
        "pods-quota", "QuotaExceeded", NEEDS_TIME, seconds(60), refused_pods(r"exceeded quota: (?P<cause>.*)"),
        "quota exceeded: {cause}", "Ask for less, or for a larger quota.",
    ),
    Rule(
        # Not at once: until the pods of a corrected version are made, its Deployment repeats the old one's refusal.
        "pods-refused", "PodsRefused", LIKELY, seconds(2), refused_pods(r"(?P<cause>.+)"), "pods refused: {cause}",
        "The text is the cluster's. Change what it names, or ask who runs the cluster.",
    ),
    Rule(
        "unschedulable", "Unschedulable", NEEDS_TIME, seconds(120),
        unschedulable,
        "no nodes available: {cause}", "Ask for less cpu or memory, or add a node.",
    ),
    Rule(
        "unready", "HealthCheckTimeout", NEEDS_TIME, seconds(30), unready, "health check timeout after {budget}",
        "See what it says, and whether it listens on the port and answers the health path: mill logs {service}",
    ),
)  # fmt: skip

TIMEOUT: Final = Rule(
    "timeout", "Timeout", NEEDS_TIME, seconds(600), lambda _: None, "no progress for 10m",
    "Nothing has moved and nothing says why: kubectl describe pods -l mill.dev/service={service}",
)  # fmt: skip

NOT_STOPPED: Final = Rule(
    "not-stopped", "NotStopped", NEEDS_TIME, seconds(60), lambda _: None, "not stopped: {cause}",
    "It goes on being tried. If the node is lost for good: kubectl delete node NAME",
)  # fmt: skip
"""A removed service that is still there, counted from when its pods should have ended."""
