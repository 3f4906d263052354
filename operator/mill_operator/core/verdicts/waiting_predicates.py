"""Predicates of containers that wait, by the reason and the message that the kubelet reports."""

from collections.abc import Callable
from typing import TypeAlias

from mill_operator.core.patterns import pattern
from mill_operator.core.verdicts.pulls import without_image_names
from mill_operator.core.verdicts.rule_input import Match, PodSubject

PodPredicate: TypeAlias = Callable[[PodSubject], Match | None]


def waits(reasons: frozenset[str] | set[str], says: str = "") -> PodPredicate:
    """Find a container that waits for one of these reasons, with a message that matches `says`."""
    says_so = pattern(f"(?is){says}")

    def find(subject: PodSubject) -> Match | None:
        waiting = subject.pod.container
        if waiting.waiting_reason not in reasons:
            return None
        found = says_so.search(without_image_names(waiting.waiting_message, subject.request.image))
        return Match(waiting.waiting_message or waiting.waiting_reason, found.groupdict(default="")) if found else None

    return find
