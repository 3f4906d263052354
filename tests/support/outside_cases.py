"""Texts and sequences from public bug reports, put where a cluster would report them.

The data is in `tests/unit/mill_operator/outside_cases/`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from mill_api.status import ServiceStatus
from mill_operator.core import timestamps
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.pods import ObservedPod, project_pod
from mill_operator.core.verdicts.observation import Observation
from tests.support.recordings import CREATED, UID, WEB, at, body, claim, look, pod, remembered, waiting

Case = Mapping[str, Any]

FOLDER: Final = Path(__file__).parents[1] / "unit" / "mill_operator" / "outside_cases"
CLAIM: Final = "noclass-data"
"""The claim of the recorded pod that waits for its volume."""
REJECTED: Final = 3
"""Pods of one template that a kubelet has rejected, in a case that does not say how many."""


def read(name: str) -> list[dict[str, Any]]:
    """Return the cases of one file."""
    cases: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return cases


def observe(case: Case, *, seconds: float = 3.0, previous: ServiceStatus | None = None) -> Observation:
    """Judge a service about which a cluster reports the text of a case."""
    return _look([case], case, seconds, previous)


def observe_each_second(frames: Sequence[Case], until: int) -> Iterator[tuple[int, Observation]]:
    """Judge a service second by second, with its status of the second before."""
    status: ServiceStatus | None = None
    for second in range(until + 1):
        begun = [frame for frame in frames if frame["at"] <= second]
        if not begun:
            continue
        observation = _look(begun, begun[-1], second, status)
        yield second, observation
        status = remembered(observation)


def _look(begun: Sequence[Case], case: Case, seconds: float, previous: ServiceStatus | None) -> Observation:
    if "pod" in case:
        return look(pod(case["pod"]), at=seconds, previous=previous)
    where, text, reason = case["where"], case["text"], case.get("kubernetes_reason", "")
    image = case.get("image", WEB.request.image)
    wanted = replace(WEB, request=replace(WEB.request, image=image))
    pods: tuple[ObservedPod, ...] = ()
    claims: tuple[ObservedChild, ...] = ()
    results, refusal = LookupResults(), ""
    if where == "waiting.message":
        pods = (waiting(reason, text, image),)
    elif where == "terminated.message":
        pods = (_ended(case),)
    elif where == "event":
        events = (ObservedEvent(each["kubernetes_reason"], each["text"]) for each in reversed(begun))
        pods, results = (pod("mounting"),), LookupResults(events={UID: tuple(events)})
    elif where == "claim-event":
        pods, claims = (pod("volume-unbound"),), (claim(name=CLAIM, storage_class="fast"),)
        results = LookupResults(events={f"{CLAIM}-uid": (ObservedEvent(reason, text),)})
    elif where == "condition":
        pods = (_not_scheduled(reason or "Unschedulable", text),)
    elif where == "pod-status":
        pods = tuple(_rejected(case, number) for number in range(case.get("pods", REJECTED)))
    else:
        assert where == "replicafailure"
        refusal = text
    return look(*pods, at=seconds, wanted=wanted, previous=previous, claims=claims, answers=results, refusal=refusal)


def _ended(case: Case) -> ObservedPod:
    recorded = body("crashed-once")
    ended = {"startedAt": timestamps.render(at(1)), "finishedAt": timestamps.render(at(1)), **case["ended"]}
    state = {"terminated": {**ended, "message": case["text"]}}
    changes: dict[str, Any] = {"state": state, "lastState": {}}
    if case.get("twice"):
        changes |= {"lastState": state, "restartCount": 1}
    recorded["status"]["containerStatuses"][0] |= changes
    return project_pod(recorded)


def _not_scheduled(reason: str, message: str) -> ObservedPod:
    recorded = body("unschedulable")
    recorded["status"]["conditions"] = [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
            "lastTransitionTime": timestamps.render(CREATED),
        }
    ]
    return project_pod(recorded)


def _rejected(case: Case, number: int) -> ObservedPod:
    recorded = body("evicted")
    recorded["metadata"]["uid"] = f"rejected-{number}"
    recorded["status"] = {"phase": "Failed", "reason": case["kubernetes_reason"], "message": case["text"]}
    return project_pod(recorded)
