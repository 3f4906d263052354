"""A text that a cluster has reported, without the objects around it → the objects that report it.

Public bug reports have texts, seldom whole objects. A sketch names the field in which a text stands (`where`) and the
reason beside it (`kubernetes_reason`); the pod around it is the plainest one that can report it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mill_api import names
from mill_objects import fields
from mill_objects.json import Json, JsonView
from mill_operator.core import timestamps
from mill_operator.recordings.errors import RecordingError

BASE: Final = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
"""When the pods of a sketch were created: `at` counts from it."""
REPORTED: Final = 3
"""Seconds after which a text is reported that does not say when."""
SERVICE: Final = "web"
NAMESPACE: Final = "shop"
IMAGE: Final = "registry.example/web:1"
POD_UID: Final = "pod-1"
CLAIM: Final = "data"
REJECTED: Final = 3
"""Pods of one template that a kubelet has rejected, in a sketch that does not say how many."""
MOST_REJECTED: Final = 100

_TEMPLATE: Final = "recorded"
_NOT_READY: Final = "containers with unready status: [web]"


def is_sketch(document: JsonView) -> bool:
    """Whether a document is a sketch, or a sequence of them."""
    frames = document.get("frames")
    first = frames[0] if isinstance(frames, list) and frames else document
    return isinstance(first, dict) and any(isinstance(first.get(name), str) for name in ("where", "pod"))


def objects_of(sketches: Sequence[JsonView]) -> list[Json]:
    """Return the objects at the time of the last of some sketches, of which the others are older.

    Events stay; of everything else the last sketch counts. Raise `RecordingError`.
    """
    sketch = sketches[-1]
    where = "pod" if "pod" in sketch else fields.text(sketch, "where")
    make = _MAKERS.get(where)
    if make is None:
        raise RecordingError(f"where: expected one of {', '.join(sorted(_MAKERS))}")
    image = fields.text(sketch, "image") or IMAGE
    made = make(sketch)
    for pod in made:
        if pod["kind"] == "Pod":
            pod["spec"]["containers"][0]["image"] = image
    return [*made, *_events(sketches), *_deployments(sketch if where == "replicafailure" else {}, image)]


def _deployments(refused: JsonView, image: str) -> list[Json]:
    failure = {"type": "ReplicaFailure", "status": "True", "message": fields.text(refused, "text")}
    container = {"name": SERVICE, "image": image, "readinessProbe": {}, "resources": {"limits": {"memory": "256M"}}}
    template = {"metadata": {"labels": {names.LABEL_TEMPLATE: _TEMPLATE}}, "spec": {"containers": [container]}}
    made = _object("Deployment", SERVICE, spec={"replicas": 1, "template": template})
    made["metadata"]["generation"] = 1
    made["status"] = {"observedGeneration": 1, "conditions": [failure] if refused else []}
    return [made]


def _events(sketches: Iterable[JsonView]) -> list[Json]:
    uids = {"event": POD_UID, "claim-event": f"{CLAIM}-uid"}
    return [
        {
            "kind": "Event",
            "metadata": {"name": f"event-{number}", "namespace": NAMESPACE},
            "involvedObject": {"uid": uids[fields.text(each, "where")]},
            "reason": fields.text(each, "kubernetes_reason"),
            "message": fields.text(each, "text"),
            "lastTimestamp": timestamps.render(BASE + timedelta(seconds=number)),
        }
        for number, each in enumerate(sketches)
        if fields.text(each, "where") in uids
    ]


def _known_pod(sketch: JsonView) -> list[Json]:
    name = fields.text(sketch, "pod")
    if name == "pulling":
        return [_pod({"waiting": {"reason": "ContainerCreating"}}, has_sandbox=False)]
    if name != "ready":
        raise RecordingError("pod: expected ready or pulling")
    made = _pod({"running": {"startedAt": _time(1)}})
    made["status"]["phase"] = "Running"
    made["status"]["containerStatuses"][0] |= {"ready": True, "started": True, "imageID": f"{IMAGE}@sha256:0"}
    made["status"]["conditions"][1:] = [_condition("Ready", "True", 1)]
    return [made]


def _waiting(sketch: JsonView) -> list[Json]:
    return [_pod({"waiting": _reason_and_message(sketch)})]


def _terminated(sketch: JsonView) -> list[Json]:
    ended = {"startedAt": _time(1), "finishedAt": _time(1), **fields.mapping(sketch, "ended")}
    state = {"terminated": {**ended, "message": fields.text(sketch, "text")}}
    made = _pod(state)
    made["status"]["phase"] = "Running"
    container = made["status"]["containerStatuses"][0]
    container["imageID"] = f"{IMAGE}@sha256:0"
    if fields.flag(sketch, "twice"):
        container |= {"lastState": state, "restartCount": 1}
    return [made]


def _mounting(_: JsonView) -> list[Json]:
    made = _pod({"waiting": {"reason": "ContainerCreating"}}, has_sandbox=False)
    made["spec"]["volumes"] = [{"name": CLAIM, "persistentVolumeClaim": {"claimName": CLAIM}}]
    return [made]


def _unbound(_: JsonView) -> list[Json]:
    message = (
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available"
    )
    (made,) = _unscheduled({"text": message, "kubernetes_reason": "Unschedulable"})
    made["spec"]["volumes"] = [{"name": CLAIM, "persistentVolumeClaim": {"claimName": CLAIM}}]
    claim = _object("PersistentVolumeClaim", CLAIM, spec={"storageClassName": "fast"}, status={"phase": "Pending"})
    return [made, claim]


def _unscheduled(sketch: JsonView) -> list[Json]:
    why = _reason_and_message(sketch)
    condition = {**_condition("PodScheduled", "False", 0), **why, "reason": why["reason"] or "Unschedulable"}
    spec = {"containers": [{"name": SERVICE}]}
    return [_object("Pod", POD_UID, spec=spec, status={"phase": "Pending", "conditions": [condition]})]


def _rejected(sketch: JsonView) -> list[Json]:
    count = min(max(fields.number(sketch, "pods", REJECTED), 1), MOST_REJECTED)
    spec = {"nodeName": "node-1", "containers": [{"name": SERVICE}]}
    status = {"phase": "Failed", **_reason_and_message(sketch)}
    return [_object("Pod", f"pod-{number}", spec={**spec}, status=status) for number in range(1, count + 1)]


def _refused(_: JsonView) -> list[Json]:
    return []


_MAKERS: Final[Mapping[str, Callable[[JsonView], list[Json]]]] = {
    "waiting.message": _waiting,
    "terminated.message": _terminated,
    "event": _mounting,
    "claim-event": _unbound,
    "condition": _unscheduled,
    "pod-status": _rejected,
    "replicafailure": _refused,
    "pod": _known_pod,
}


def _pod(state: JsonView, *, has_sandbox: bool = True) -> Json:
    container = {"name": SERVICE, "image": IMAGE, "ready": False, "restartCount": 0, "state": state, "lastState": {}}
    conditions = [
        _condition("PodScheduled", "True", 0),
        _condition("PodReadyToStartContainers", "True" if has_sandbox else "False", 1 if has_sandbox else 0),
        {**_condition("Ready", "False", 0), "reason": "ContainersNotReady", "message": _NOT_READY},
    ]
    spec = {"nodeName": "node-1", "containers": [{"name": SERVICE}]}
    status = {"phase": "Pending", "conditions": conditions, "containerStatuses": [container]}
    return _object("Pod", POD_UID, spec=spec, status=status)


def _object(kind: str, name: str, **more: Any) -> Json:
    labels = {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_DEPLOYMENT: names.DEFAULT_NAME,
        names.LABEL_SERVICE: SERVICE,
        names.LABEL_TEMPLATE: _TEMPLATE,
    }
    uid = name if kind == "Pod" else f"{name}-uid"
    metadata = {"name": name, "namespace": NAMESPACE, "uid": uid, "creationTimestamp": _time(0), "labels": labels}
    return {"kind": kind, "metadata": metadata, **more}


def _reason_and_message(sketch: JsonView) -> dict[str, str]:
    return {"reason": fields.text(sketch, "kubernetes_reason"), "message": fields.text(sketch, "text")}


def _condition(kind: str, status: str, second: int) -> Json:
    return {"type": kind, "status": status, "lastTransitionTime": _time(second)}


def _time(second: int) -> str:
    return timestamps.render(BASE + timedelta(seconds=second))
