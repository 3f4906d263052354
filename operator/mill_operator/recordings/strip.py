"""An object → the fields that a verdict is made of, with texts as redacted as in a status.

What is kept is listed here, and everything else is left out: environments, commands, annotations, labels of others.
A test compares the projections of both forms.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

from mill_api import names
from mill_api.constraints import MAX_LABELS
from mill_api.dependencies import dependencies
from mill_api.references import InvalidValue, SecretRef, parse_value
from mill_objects import fields
from mill_objects.json import Json, JsonView
from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.observed.allocatable import RESOURCES_KEPT
from mill_operator.core.observed.containers import RUNTIME_WORDS
from mill_operator.core.observed.events import PROBE
from mill_operator.core.observed.foreign_text import cluster_text, log_tail, untrusted_text
from mill_operator.recordings import foreign

_LOOKED_UP: Final = ("Pod", "PersistentVolumeClaim")
"""Kinds of objects of which the operator looks up events."""

Schema: TypeAlias = Callable[[Any], Any] | Mapping[str, Any] | Sequence[Any]
"""What is kept: of an object its named fields, of a list each element by the one schema, of a value what a function
returns. None is left out."""


def stripped(body: JsonView) -> Json | None:
    """Return what a recording keeps of an object; None if it needs nothing of it."""
    kind = fields.text(body, "kind")
    if kind == "Event" and fields.text(fields.mapping(body, "involvedObject"), "kind") not in _LOOKED_UP:
        return None
    schema = _KINDS.get(kind)
    return None if schema is None else {"kind": kind, **_kept(body, schema)}


def _kept(value: Any, schema: Schema) -> Any:
    if callable(schema):
        return schema(value)
    if isinstance(schema, Mapping):
        if not isinstance(value, dict):
            return None
        found = {name: _kept(value[name], inner) for name, inner in schema.items() if name in value}
        return {name: each for name, each in found.items() if each is not None}
    if not isinstance(value, list):
        return None
    return [each for each in (_kept(each, schema[0]) for each in value) if each is not None]


def _plain(value: Any) -> Any:
    """Return a number, a switch, or a name or time as one line."""
    if isinstance(value, str):
        return one_line(value, limits.TEXT_BYTES)
    return value if isinstance(value, int | float) else None


def _labels(value: Any) -> Json:
    return _kept(value, dict.fromkeys(_LABELS, _plain)) or {}


def _annotations(value: Any) -> Json:
    if not isinstance(value, dict):
        return {}
    known = {names.ANNOTATION_APPLIED, names.ANNOTATION_REQUEST, foreign.REVISION, foreign.MAIN}
    return {
        name: _plain(each)
        for name, each in value.items()
        if isinstance(name, str) and (name in known or name.startswith(names.RESTART_PREFIX))
    }


def _amounts(value: Any) -> Json:
    """Return resources with their quantities: what a node can allocate, or a pod requests."""
    if not isinstance(value, dict):
        return {}
    return {name: _plain(value[name]) for name in list(value)[:RESOURCES_KEPT] if isinstance(name, str)}


def _labels_of_nodes(value: Any) -> Json:
    """Return the labels that the node of a pod must have."""
    if not isinstance(value, dict):
        return {}
    return {name: _plain(value[name]) for name in list(value)[: MAX_LABELS + 1] if isinstance(name, str)}


def _kubelet_writes(value: Any) -> list[Json]:
    writes: list[Json] = _kept(value, [dict.fromkeys(("manager", "operation", "subresource", "time"), _plain)]) or []
    return [each for each in writes if each.get("manager") == "kubelet"]


def _secret_keys(value: Any) -> list[Json]:
    """Return the variables of an environment that are read from a Secret, without their names."""
    entries: list[Json] = _kept(value, [{"valueFrom": {"secretKeyRef": {"name": _plain, "key": _plain}}}]) or []
    return [each for each in entries if fields.mapping(each, "valueFrom", "secretKeyRef")]


def _terminated(value: Any) -> Json | None:
    """Return the end of a container. The message of a program is its log, that of the runtime is not."""
    if not isinstance(value, dict):
        return None
    is_runtime = fields.text(value, "reason") in RUNTIME_WORDS
    times = dict.fromkeys(("exitCode", "signal", "reason", "startedAt", "finishedAt"), _plain)
    return dict(_kept(value, {**times, "message": cluster_text if is_runtime else log_tail}))


def _event(value: Any) -> Json:
    message = untrusted_text if fields.text(value, "reason") == PROBE else cluster_text
    return dict(_kept(value, {**_EVENT, "message": message}))


def _spec(value: Any) -> Json:
    """Return the spec of a MillDeployment. Of environments, what they refer to is left; of commands, that they are."""
    services = fields.mappings(value, "services")
    refers_to = {name: each.refers_to for name, each in _dependencies(services).items()}
    made = []
    for service in services:
        kept = _kept(service, _SERVICE)
        env = {f"REFERS_TO_{at}": each for at, each in enumerate(refers_to.get(kept.get("name", ""), ()), start=1)}
        of_env = chain.from_iterable(map(_secrets, fields.texts(service, "env").values()))
        of_files = filter(None, (fields.text(each, "secret") for each in fields.mappings(service, "files")))
        secret = next(chain(of_env, of_files), None)
        command = {"command": ["COMMAND"]} if service.get("command") and service.get("args") is None else {}
        made.append({**kept, **command, "env": env | ({"SECRET": f"${{secret({secret})}}"} if secret else {})})
    return {"services": made}


class _Dependent:
    """What `dependencies` reads of a service."""

    def __init__(self, service: JsonView) -> None:
        self.name = fields.text(service, "name")
        self.env = fields.texts(service, "env")
        self.command = _words(service, "command")
        self.args = _words(service, "args")
        self.contents = [fields.text(each, "content") for each in fields.mappings(service, "files")]
        after = service.get("after")
        self.after = [each for each in after if isinstance(each, str)] if isinstance(after, list) else []


def _words(service: JsonView, name: str) -> list[str]:
    words = service.get(name)
    return [each for each in words if isinstance(each, str)] if isinstance(words, list) else []


def _dependencies(services: Sequence[JsonView]) -> Mapping[str, Any]:
    return dependencies([_Dependent(each) for each in services], "")


def _secrets(value: str) -> list[str]:
    try:
        return [part.name for part in parse_value(value) if isinstance(part, SecretRef)]
    except InvalidValue:
        return []


_LABELS: Final = (
    names.LABEL_MANAGED_BY,
    names.LABEL_DEPLOYMENT,
    names.LABEL_SERVICE,
    names.LABEL_TASK,
    names.LABEL_TEMPLATE,
    names.LABEL_JOB,
    foreign.HASH,
    foreign.REVISION_HASH,
)
_META: Final[Schema] = {
    **dict.fromkeys(("name", "namespace", "uid", "resourceVersion", "generation"), _plain),
    **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), _plain),
    "labels": _labels,
    "annotations": _annotations,
    "ownerReferences": [dict.fromkeys(("kind", "name", "uid", "controller"), _plain)],
    "managedFields": _kubelet_writes,
}
_CONDITION: Final = {
    **dict.fromkeys(("type", "status", "reason", "lastTransitionTime"), _plain),
    "message": cluster_text,
}
_PROBE: Final[Schema] = dict.fromkeys(("initialDelaySeconds", "periodSeconds", "failureThreshold"), _plain)
_CONTAINERS: Final[Schema] = [
    {
        **dict.fromkeys(("name", "image", "restartPolicy"), _plain),
        "resources": {"limits": {"memory": _plain}, "requests": _amounts},
        "securityContext": {"readOnlyRootFilesystem": _plain},
        "readinessProbe": _PROBE,
        "startupProbe": _PROBE,
        "env": _secret_keys,
    }
]
_POD_SPEC: Final = {
    "nodeName": _plain,
    "containers": _CONTAINERS,
    "initContainers": _CONTAINERS,
    "volumes": [{"name": _plain, "persistentVolumeClaim": {"claimName": _plain}}],
    "resources": {"requests": _amounts},
    "overhead": _amounts,
    "schedulingGates": [{"name": _plain}],
    "nodeSelector": _labels_of_nodes,
    "imagePullSecrets": [{"name": _plain}],
}
_STATE: Final = {
    "waiting": {"reason": _plain, "message": cluster_text},
    "running": {"startedAt": _plain},
    "terminated": _terminated,
}
_STATUSES: Final[Schema] = [
    {
        **dict.fromkeys(("name", "ready", "started", "restartCount", "image", "imageID"), _plain),
        "state": _STATE,
        "lastState": _STATE,
    }
]
_TEMPLATE: Final = {"metadata": {"labels": _labels, "annotations": _annotations}, "spec": _POD_SPEC}
_EVENT: Final = {
    "metadata": dict.fromkeys(("name", "namespace", "creationTimestamp"), _plain),
    "involvedObject": dict.fromkeys(("kind", "namespace", "name", "uid", "fieldPath"), _plain),
    "series": {"lastObservedTime": _plain},
    **dict.fromkeys(("type", "reason", "firstTimestamp", "lastTimestamp", "eventTime"), _plain),
}
_SERVICE: Final = {
    **dict.fromkeys(
        ("name", "image", "replicas", "port", "cpu", "memory", "user", "group", "readOnlyRoot", "pull"), _plain
    ),
    "limits": dict.fromkeys(("cpu", "memory"), _plain),
    "after": [_plain],
    "health": dict.fromkeys(("path", "grpc", "port", "interval", "timeout", "failureThreshold", "start"), _plain),
    "update": dict.fromkeys(("settle", "surge"), _plain),
    "volumes": [dict.fromkeys(("name", "path", "size", "ephemeral"), _plain)],
}
_SERVICE_STATUS: Final = {
    **dict.fromkeys(("name", "state", "template", "healthyTemplate", "failedTemplate", "image"), _plain),
    **dict.fromkeys(("reason", "message", "rule", "since", "failedAt", "dueAt", "movedAt"), _plain),
    "replicas": dict.fromkeys(("desired", "updated", "healthy", "serving"), _plain),
}
_ROLLOUT: Final = dict.fromkeys(("id", "startedAt", "finishedAt", "success"), _plain)

_KINDS: Final[Mapping[str, Any]] = {
    "Pod": {
        "metadata": _META,
        "spec": _POD_SPEC,
        "status": {
            **dict.fromkeys(("phase", "reason", "startTime"), _plain),
            "message": cluster_text,
            "conditions": [_CONDITION],
            "containerStatuses": _STATUSES,
            "initContainerStatuses": _STATUSES,
        },
    },
    "Deployment": {
        "metadata": _META,
        "spec": {"replicas": _plain, "template": _TEMPLATE},
        "status": {
            **dict.fromkeys(("observedGeneration", "availableReplicas"), _plain),
            "conditions": [{**_CONDITION, "message": untrusted_text}],
        },
    },
    "ReplicaSet": {"metadata": _META},
    "PersistentVolumeClaim": {
        "metadata": _META,
        "spec": {"storageClassName": _plain},
        "status": {"phase": _plain},
    },
    "Event": _event,
    "Node": {
        "metadata": dict.fromkeys(("name", "creationTimestamp"), _plain),
        "spec": {"unschedulable": _plain},
        "status": {
            "allocatable": _amounts,
            "nodeInfo": dict.fromkeys(("operatingSystem", "architecture"), _plain),
            "conditions": [_CONDITION],
        },
    },
    "MillDeployment": {
        "metadata": _META,
        "spec": _spec,
        "status": {"observedGeneration": _plain, "rollout": _ROLLOUT, "services": [_SERVICE_STATUS]},
    },
}
