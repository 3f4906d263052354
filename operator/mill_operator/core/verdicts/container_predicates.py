"""Predicates of one container of a pod: its image, its start, its run.

A predicate returns what it has found, or None. What is around a pod (the scheduler, volumes, nodes, quotas) has its
predicates in `pod_predicates`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from mill_api import names
from mill_objects.kubelet import CONTAINER_CREATING, PULL_PROBLEMS
from mill_operator.core.observed.containers import RUNTIME_LINE, RUNTIME_WORDS, Termination
from mill_operator.core.patterns import literal, pattern
from mill_operator.core.verdicts.pulls import (
    BACK_OFF,
    LOGIN_FAILS,
    NOT_FOUND,
    OTHER_PLATFORM,
    PULL_SECRETS,
    is_denied,
    is_failing,
    without_image_names,
)
from mill_operator.core.verdicts.rule_input import Match, PodSubject

PodPredicate: TypeAlias = Callable[[PodSubject], Match | None]

LONG_RUN: Final = timedelta(seconds=600)
"""A container that ran for so long before it ended has crashed for the first time: the kubelet counts so as well."""


def waits(reasons: frozenset[str] | set[str], says: str = "") -> PodPredicate:
    """Find a container that waits for one of these reasons, with a message that matches `says`."""
    says_so = pattern(f"(?is){says}")

    def sees(subject: PodSubject) -> Match | None:
        waiting = subject.pod.container
        if waiting.waiting_reason not in reasons:
            return None
        found = says_so.search(without_image_names(waiting.waiting_message, subject.request.image))
        return Match(waiting.waiting_message or waiting.waiting_reason, found.groupdict(default="")) if found else None

    return sees


def pull(says: str) -> PodPredicate:
    """Find an image that cannot be pulled, for a cause that the runtime's message names."""
    return waits(PULL_PROBLEMS, says)


def other_platform(subject: PodSubject) -> Match | None:
    """Find an image for other platforms than the node's, which only some runtimes name."""
    match = BY_PLATFORM(subject)
    if match is None:
        return None
    found = match.values
    platform = found["docker"] or "/".join(part for part in (found["os"], found["arch"], found["variant"]) if part)
    return Match(match.evidence, {"platform": platform} if platform else {})


NOT_FOUND_BY_REGISTRY: Final = pull(NOT_FOUND)
BY_PLATFORM: Final = pull(OTHER_PLATFORM.pattern.removeprefix("(?i)"))


def image_missing(subject: PodSubject) -> Match | None:
    """Find an image that the registry does not have; for a digest the answer is the same with all registries."""
    match = NOT_FOUND_BY_REGISTRY(subject)
    if match is None or LOGIN_FAILS.search(match.evidence):
        return None
    return Match(match.evidence, {"what": "digest" if "@sha256:" in subject.request.image else "tag"})


def _pull_denied(subject: PodSubject) -> Match | None:
    waiting = subject.pod.container
    if not is_failing(waiting) or not is_denied(without_image_names(waiting.waiting_message, subject.request.image)):
        return None
    return Match(waiting.waiting_message or waiting.waiting_reason)


def pull_denied(subject: PodSubject) -> Match | None:
    """Find a registry that refuses. That counts at once when the node has tried again meanwhile.

    A new attempt is recognized by its message: `ErrImagePull`, where the last one was the back-off.
    """
    if (match := _pull_denied(subject)) is None:
        return None
    seen_before = (subject.previous and subject.previous.evidence) or ""
    again = seen_before.startswith(BACK_OFF) and not match.evidence.startswith(BACK_OFF)
    return Match(match.evidence, grace=timedelta(0) if again else None)


def pull_secret_missing(subject: PodSubject) -> Match | None:
    """Find a registry that refuses while the credentials that the pod should bring do not exist."""
    if (match := _pull_denied(subject)) is None:
        return None
    event = subject.results.newest_event(subject.pod.uid, "FailedToRetrieveImagePullSecret")
    found = PULL_SECRETS.search(event.message) if event else None
    return Match(match.evidence, {"secrets": found["secrets"]}) if found else None


SECRET_NOT_FOUND: Final = waits(
    {"CreateContainerConfigError"},
    rf"couldn't find key (?P<key>\S+) in Secret|secret \"{literal(names.SECRET_NAME)}\" not found",
)


def secret_missing(subject: PodSubject) -> Match | None:
    """Find a container whose environment names a secret that is not there: the key, or all of them."""
    if (match := SECRET_NOT_FOUND(subject)) is None:
        return None
    return Match(match.evidence, {"secret": match.values["key"] or next(iter(subject.request.secrets), "?")})


def cannot_start(says: str) -> PodPredicate:
    """Find a container that the runtime could not start."""
    says_so = pattern(f"(?i){says}")
    waiting = waits({"RunContainerError", "CreateContainerError"}, says)

    def sees(subject: PodSubject) -> Match | None:
        if match := waiting(subject):
            return match
        end = subject.pod.container.latest_end
        if end is None or not says_so.search(end.message):
            return None
        # Programs write such texts too: without the runtime's own reason, only its exit codes count, or a log
        # that is nothing but what the runtime writes when it cannot become the program.
        runtimes = end.reason in RUNTIME_WORDS or RUNTIME_LINE.fullmatch(end.message)
        return Match(end.message) if runtimes or end.exit_code in (126, 127, 128) else None

    return sees


NOT_RUN: Final = waits({"RunContainerError"})


def start_failed(subject: PodSubject) -> Match | None:
    """Find a container that the runtime could not start, for any other cause."""
    end = subject.pod.container.latest_end
    if end is not None and end.reason in RUNTIME_WORDS:
        return Match(end.message, {"waiting": end.message})
    return NOT_RUN(subject)


def out_of_memory(end: Termination) -> bool:
    """Return whether the kernel ended a container for its memory: its program or a child process."""
    return end.reason == "OOMKilled"


def done(end: Termination) -> bool:
    """Return whether a program ended by itself with exit code 0."""
    return end.exit_code == 0 and not out_of_memory(end)


def crashed(end: Termination) -> bool:
    """Return whether it is another termination of which anything is known: a node may lose a container."""
    return not done(end) and not out_of_memory(end) and end.reason != "ContainerStatusUnknown"


def ends(is_sought: Callable[[Termination], bool]) -> PodPredicate:
    """Find a container that ends: the first time is a suspicion, the second a failure."""

    def sees(subject: PodSubject) -> Match | None:
        end = subject.pod.container.latest_end
        if end is None or not is_sought(end):
            return None
        evidence = end.message or f"{end.reason or 'ended'}, exit code {end.exit_code}"
        first = subject.pod.container.crashes < 2 or _ran_long(end)
        return Match(evidence, {"exit_code": str(end.exit_code)}, open_ended=first)

    return sees


def _ran_long(end: Termination) -> bool:
    return end.started_at is not None and end.finished_at is not None and end.finished_at - end.started_at >= LONG_RUN


def pulling(subject: PodSubject) -> Match | None:
    """Find a container whose image is being pulled: its pod has a network, and reports no trouble."""
    pod, container = subject.pod, subject.pod.container
    if pod.bound_at is None or not pod.sandbox_ready or container.image_present:
        return None
    if container.waiting_reason != CONTAINER_CREATING:  # it is another one while init containers run
        return None
    return Match(f"the container waits: {container.waiting_reason}", since=pod.bound_at)


def unready(subject: PodSubject) -> Match | None:
    """Find a container that runs and is not ready; its time counts from its first start, or since it was ready last."""
    pod = subject.pod
    if pod.container.running_since is None or pod.container.ready or pod.first_started is None:
        return None
    budget = subject.request.budget
    values = {"budget": f"{budget.total_seconds():g}s"}
    since = max(pod.first_started, pod.unready_since or pod.first_started) + subject.node_clock_skew
    probe = subject.results.newest_event(pod.uid, "Unhealthy", container=subject.container or pod.service)
    return Match(probe.message if probe else "the container runs and does not become ready", values, since, budget)
