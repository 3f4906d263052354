"""What the judge would like to know, and pods do not say. Asked only when it helps; `lookups` finds the answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from mill_api.status import ServiceStatus
from mill_operator.core.observed.containers import PULL_PROBLEMS
from mill_operator.core.observed.pods import ChildFacts, PodFacts
from mill_operator.core.verdicts.container_predicates import (
    OTHER_PLATFORM,
    SAYS_NO_CAUSE,
    cause_known,
    denied,
    without_names,
)
from mill_operator.core.verdicts.pod_predicates import begins

PODS_ASKED_ABOUT: Final = 1
"""Per service: its pods have one template, and mostly one trouble. A list of events is no cheap thing to ask for."""
SILENCE: Final = timedelta(seconds=5)
"""A pod that has not got to its first container for so long is asked about, and again after twice that time, …"""
NODE_SILENCE: Final = timedelta(seconds=10)
"""A pod that says nothing new for so long may be on a node that is lost."""
PROBED_IN_VAIN: Final = timedelta(seconds=10)
"""After so long, the kubelet's words about a failing probe are worth a question."""
LONG_UNSCHEDULABLE: Final = timedelta(seconds=60)
"""A pod that found no node for so long may be waiting for one that an autoscaler has ordered."""

SOON: Final = 5.0
"""Seconds for which an answer is fresh."""
LATER: Final = 20.0
SETTLED: Final = 300.0
"""For what does not change while the pod says the same."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something to look up."""

    about: Literal["events", "node"]
    name: str
    """Of a node; of everything else the uid."""
    namespace: str = ""
    says: str = ""
    """What the object said when the question arose; when it says something else, that is another question."""
    fresh: float = field(default=SOON, compare=False)
    """Seconds for which an older answer will do."""


def questions(
    pods: Sequence[PodFacts],
    claims: Iterable[ChildFacts],
    *,
    image: str,
    previous: ServiceStatus | None,
    now: datetime,
) -> set[Question]:
    """Return what would help to judge these pods of one service, of which the first are asked about."""
    asked: set[Question] = set()
    claim_of = {each.key.name: each for each in claims}
    for pod in [pod for pod in pods if not pod.ready][:PODS_ASKED_ABOUT]:
        asked |= _about_its_containers(pod, image, previous)
        asked |= _about_its_place(pod, claim_of, now)
        asked |= _about_its_silence(pod, now)
    return asked


def _about_its_containers(pod: PodFacts, image: str, previous: ServiceStatus | None) -> set[Question]:
    asked = _about_a_pull(pod, pod.waiting_reason, pod.waiting_message, image, previous)
    for other in pod.others:
        asked |= _about_a_pull(pod, other.waiting_reason, other.waiting_message, other.image, previous)
    last_words = pod.waiting_message + (pod.latest_end.message if pod.latest_end else "")
    if "exec format error" in last_words.lower():
        asked |= _node(pod, SETTLED)
    return asked


def _about_a_pull(
    pod: PodFacts, reason: str, message: str, image: str, previous: ServiceStatus | None
) -> set[Question]:
    if reason not in PULL_PROBLEMS:
        return set()
    words = without_names(message, image)
    if OTHER_PLATFORM.search(words):
        return _node(pod, SETTLED)
    if denied(words):  # is it that the credentials are missing?
        return {_events(pod, LATER)}
    if SAYS_NO_CAUSE.search(words) and not cause_known(previous, image):
        return {_events(pod, SETTLED, says=message)}
    return set()


def _about_its_place(pod: PodFacts, claims: dict[str, ChildFacts], now: datetime) -> set[Question]:
    if pod.node is not None:
        return set()
    waited = now - pod.created
    asked: set[Question] = set()
    if waited >= SILENCE:
        unbound = [claims[name] for name in pod.claims if name in claims and claims[name].phase != "Bound"]
        asked |= {Question("events", claim.uid, claim.key.namespace, fresh=SOON) for claim in unbound[:1]}
    if waited >= LONG_UNSCHEDULABLE and pod.unschedulable is not None and not asked:
        asked.add(_events(pod, LATER))
    return asked


def _about_its_silence(pod: PodFacts, now: datetime) -> set[Question]:
    if pod.bound_at is None:
        return set()
    waited = now - pod.bound_at
    if begins(pod):
        asked = {_events(pod, SOON)} if waited >= SILENCE else set()
        return asked | (_node(pod, SOON) if waited >= NODE_SILENCE else set())
    if pod.running_since is None:
        return set()
    if not pod.container_ready:
        return {_events(pod, LATER), *_node(pod, SOON)} if now - pod.running_since >= PROBED_IN_VAIN else set()
    # Somebody else says that it is not ready: another container, a gate, or the controller that watches nodes.
    return set() if pod.others or pod.gate else _node(pod, SOON)


def ask_at(pod: PodFacts, now: datetime) -> datetime | None:
    """Return when to look at a pod again whose status says nothing, though nothing happens."""
    if pod.ready or not (begins(pod) or (pod.node is None and pod.claims)):
        return None
    waiting_since = pod.bound_at or pod.created
    pause = SILENCE
    while waiting_since + pause <= now:
        pause *= 2
    return waiting_since + pause


def _events(pod: PodFacts, fresh: float, says: str = "") -> Question:
    return Question("events", pod.uid, pod.key.namespace, says, fresh)


def _node(pod: PodFacts, fresh: float) -> set[Question]:
    return {Question("node", pod.node, fresh=fresh)} if pod.node else set()
