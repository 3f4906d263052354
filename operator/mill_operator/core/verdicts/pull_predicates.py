"""Predicates of images that cannot be pulled. A pattern is about its subject: the registry, the image, or the node."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from mill_objects.kubelet import PULL_PROBLEMS
from mill_operator.core.patterns import Pattern
from mill_operator.core.verdicts.pulls import (
    ADDRESS_REFUSED,
    INCOMPLETE,
    LOCKED,
    LOGIN_FAILS,
    NOT_FOUND,
    OTHER_PLATFORM,
    PROXY_REFUSES,
    PULL_SECRETS,
    STATUS_403,
    STORAGE_REFUSES,
    UNAUTHORIZED,
    is_denied,
    is_failing,
    without_image_names,
)
from mill_operator.core.verdicts.rule_input import Match, PodSubject
from mill_operator.core.verdicts.waiting_predicates import PodPredicate, waits

OF_A_REGISTRY: Final = ("/manifests/", "/blobs/sha256:", "token")
"""Parts of the addresses of a registry's API, and of the server that gives tokens for it."""
NEW_NODE: Final = timedelta(minutes=5)
"""A node that became ready within this time before a pod was created is new."""
NEW_NODE_GRACE: Final = timedelta(seconds=60)


def pull(says: str) -> PodPredicate:
    """Find an image that cannot be pulled, for a cause that the runtime's message names."""
    return waits(PULL_PROBLEMS, says)


BY_PLATFORM = pull(OTHER_PLATFORM.pattern.removeprefix("(?i)"))
NOT_FOUND_BY_REGISTRY = pull(NOT_FOUND)
incomplete = pull(INCOMPLETE)
NOT_READ_BY_KUBELET = waits({"InvalidImageName"})
NOT_READ_BY_RUNTIME = pull(r"invalid reference format|failed to parse image reference|couldn't parse image")


def other_platform(subject: PodSubject) -> Match | None:
    """Find an image for other platforms than the node's, which only some runtimes name."""
    match = BY_PLATFORM(subject)
    if match is None:
        return None
    found = match.values
    platform = found["docker"] or "/".join(part for part in (found["os"], found["arch"], found["variant"]) if part)
    return Match(match.evidence, {"platform": platform} if platform else {})


def invalid_name(subject: PodSubject) -> Match | None:
    """Find an image's name that the kubelet, or the container runtime, cannot read."""
    return NOT_READ_BY_KUBELET(subject) or NOT_READ_BY_RUNTIME(subject)


def image_missing(subject: PodSubject) -> Match | None:
    """Find an image that the registry does not have; for a digest the answer is the same with all registries."""
    match = NOT_FOUND_BY_REGISTRY(subject)
    if match is None or LOGIN_FAILS.search(match.evidence):
        return None
    return Match(match.evidence, {"what": "digest" if "@sha256:" in subject.request.image else "tag"})


def pull_denied(subject: PodSubject) -> Match | None:
    """Find a registry that refuses."""
    waiting = subject.pod.container
    if not is_failing(waiting) or not is_denied(_message(subject)):
        return None
    return Match(
        waiting.waiting_message or waiting.waiting_reason, grace=NEW_NODE_GRACE if _is_on_new_node(subject) else None
    )


def _is_on_new_node(subject: PodSubject) -> bool:
    """Return whether the node is so new that it may not have its own credentials for the registry yet."""
    pod = subject.pod
    node = subject.results.nodes.get(pod.node) if pod.node else None
    return node is not None and node.ready_since is not None and pod.created - node.ready_since < NEW_NODE


def pull_secret_missing(subject: PodSubject) -> Match | None:
    """Find a registry that refuses while the credentials that the pod should bring do not exist."""
    if (match := pull_denied(subject)) is None:
        return None
    event = subject.results.newest_event(subject.pod.uid, "FailedToRetrieveImagePullSecret")
    found = PULL_SECRETS.search(event.message) if event else None
    return Match(match.evidence, {"secrets": found["secrets"]}) if found else None


def named(predicate: PodPredicate) -> PodPredicate:
    """Restrict a predicate to the own container of services and tasks that name a pull secret."""

    def find(subject: PodSubject) -> Match | None:
        match = predicate(subject) if subject.request.pull and not subject.container else None
        return replace(match, values={**match.values, "pull": subject.request.pull}) if match is not None else None

    return find


def _refused(*patterns: Pattern) -> PodPredicate:
    """Find a pull that is refused in one of these forms."""

    def find(subject: PodSubject) -> Match | None:
        waiting = subject.pod.container
        if not is_failing(waiting) or not any(each.search(_message(subject)) for each in patterns):
            return None
        return Match(waiting.waiting_message)

    return find


account_locked = _refused(LOCKED)
address_refused = _refused(ADDRESS_REFUSED)
proxy_refuses = _refused(PROXY_REFUSES)


def storage_refuses(subject: PodSubject) -> Match | None:
    """Find a pull that is refused by what stands behind a registry: the storage or the CDN that has its layers."""
    waiting = subject.pod.container
    if not is_failing(waiting):
        return None
    message = _message(subject)
    if not STORAGE_REFUSES.search(message) and not _is_refused_elsewhere(waiting.waiting_message):
        return None
    registry = ", and the registry itself (401)" if UNAUTHORIZED.search(message) else ""
    return Match(waiting.waiting_message, {"registry": registry})


def _is_refused_elsewhere(message: str) -> bool:
    """Return whether the 403 is of an address that is none of a registry's API."""
    found = STATUS_403.search(message)
    if found is None or LOGIN_FAILS.search(message):  # the server that gives tokens has an address of its own
        return False
    return not any(part in found["address"] for part in OF_A_REGISTRY)


def _message(subject: PodSubject) -> str:
    return without_image_names(subject.pod.container.waiting_message, subject.request.image)
