"""Recorded pods, and a short way to judge one.

`recorded_pods/` holds the reports of kubelet 1.35 and containerd 1.6.
"""

import json
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mill_api.service_status import Replicas, ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.objects.service import DesiredService, ServiceRequest
from mill_operator.core.observed.children import ObservedChild, project_child
from mill_operator.core.observed.containers import ObservedContainer
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.nodes import ObservedNode
from mill_operator.core.observed.pods import ObservedPod, project_pod
from mill_operator.core.verdicts.judge import judge
from mill_operator.core.verdicts.observation import JudgeInput, Observation
from mill_operator.core.verdicts.rule_input import Problem

PODS = Path(__file__).parent / "recorded_pods"
CREATED = timestamps.parse("2026-01-31T12:00:00Z")
"""The creation time of every recorded pod."""
UID = "5f0c1d1e-0000-4000-8000-000000000001"
"""The owner of every recorded pod."""

WEB = DesiredService(
    name="web",
    template="aaaaaaaaaa",
    replicas=1,
    probed=True,
    request=ServiceRequest("registry.example/web:1", "256M", ("db.url",), timedelta(seconds=30)),
)
NO_PORT = replace(WEB, probed=False)
DIGEST = replace(WEB, request=replace(WEB.request, image="registry.example/web@sha256:" + "0" * 64))
TWO = replace(WEB, replicas=2)


def at(seconds: float) -> datetime:
    """Return a time, by seconds after the pods' creation."""
    return CREATED + timedelta(seconds=seconds)


def offset(moment: datetime | None) -> float | None:
    """Return how many seconds after the pods' creation a time is."""
    return None if moment is None else (moment - CREATED).total_seconds()


def body(name: str) -> dict[str, Any]:
    """Return a recorded pod as JSON."""
    recorded: dict[str, Any] = json.loads((PODS / f"{name}.json").read_text())
    return recorded


def pod(name: str, **changes: Any) -> ObservedPod:
    """Return the projection of a recorded pod, as if it had been created with the requested image."""
    return changed(project_pod(body(name)), **{"image": WEB.request.image, **changes})


CONTAINER_FIELDS = {each.name for each in fields(ObservedContainer)} - {"name", "ready", "memory", "is_init"}


def changed(pod: ObservedPod, **changes: Any) -> ObservedPod:
    """Return a pod with other values of its own fields, or of those of its container."""
    container = {name: value for name, value in changes.items() if name in CONTAINER_FIELDS}
    others = {name: value for name, value in changes.items() if name not in CONTAINER_FIELDS}
    return replace(pod, container=replace(pod.container, **container), **others)


def waiting(reason: str, message: str, image: str = WEB.request.image) -> ObservedPod:
    """Return a pod whose container waits, with the message of some runtime."""
    recorded = body("tag-missing")
    recorded["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": reason, "message": message}}
    recorded["spec"]["containers"][0]["image"] = image
    return project_pod(recorded)


def claim(phase: str = "Pending", storage_class: str | None = None, name: str = "data") -> ObservedChild:
    """Return a volume's claim."""
    return project_child(
        "PersistentVolumeClaim",
        {
            "metadata": {
                "name": name,
                "namespace": "shop",
                "uid": f"{name}-uid",
                "resourceVersion": "1",
                "creationTimestamp": timestamps.render(CREATED),
                "labels": {"mill.dev/service": "web"},
            },
            "spec": {} if storage_class is None else {"storageClassName": storage_class},
            "status": {"phase": phase},
        },
    )


def said(*events: tuple[str, str], uid: str = UID, container: str = "") -> LookupResults:
    """Return the result of a lookup of events."""
    return LookupResults(events={uid: tuple(ObservedEvent(*event, container) for event in events)})


def node(ready: str = "True", since: float = 0.0, platform: str = "linux/amd64", name: str = "node-1") -> LookupResults:
    """Return the result of a lookup of a node."""
    return LookupResults(nodes={name: ObservedNode(platform, ready, at(since))})


def look(
    *pods: ObservedPod,
    at: float = 3.0,
    wanted: DesiredService = WEB,
    deployment: int | None = 1,
    refusal: str = "",
    problem: Problem | None = None,
    previous: ServiceStatus | None = None,
    claims: tuple[ObservedChild, ...] = (),
    answers: LookupResults = NO_RESULTS,
    requested_at: float | None = None,
) -> Observation:
    """Judge at a number of seconds after the pods' creation."""
    given = JudgeInput(
        wanted,
        pods,
        claims,
        deployment=None if deployment is None else deployed(deployment, refusal),
        problem=problem,
        previous=previous,
        results=answers,
        requested_at=None if requested_at is None else CREATED + timedelta(seconds=requested_at),
    )
    return judge(given, CREATED + timedelta(seconds=at))


def deployed(replicas: int, refusal: str = "") -> ObservedChild:
    """Return the Deployment of `WEB`."""
    body = {
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "deployment",
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": timestamps.render(CREATED),
        },
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": 1},
    }
    return replace(project_child("Deployment", body), refusal=refusal)


def remembered(seen: Observation) -> ServiceStatus:
    """Return the service's status of an observation."""
    finding = seen.finding
    status = ServiceStatus(
        name=seen.service, state=seen.state, replicas=seen.replicas, template=seen.template, image=seen.image
    )
    if finding is None or seen.state not in (State.SUSPECT, State.FAILED):
        return status
    return status.model_copy(
        update={
            "reason": finding.rule.code,
            "rule": finding.rule.id,
            "message": finding.message,
            "detail": finding.detail or None,
            "evidence": finding.evidence,
            "suggestion": finding.suggestion,
            "since": timestamps.render(finding.since),
        }
    )


def before(
    code: str, rule: str, *, since: float = 3.0, state: State = State.SUSPECT, healthy: int = 0
) -> ServiceStatus:
    """Return an earlier status of the service."""
    return ServiceStatus(
        name="web",
        state=state,
        reason=code,
        rule=rule,
        message="image pull failed: tag not found",
        since=timestamps.render(CREATED + timedelta(seconds=since)),
        replicas=Replicas(desired=1, updated=1, healthy=healthy),
    )
