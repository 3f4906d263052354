"""Make a recording for the judge's tests out of a pod.

    kubectl get pod web-… -o json --show-managed-fields | python -m tests.support.record > NAME.json

The file belongs into `tests/support/recorded_pods`. The fields that the judge reads keep their values; names, times and
registries become those of all recordings.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

CREATED: Final = datetime.fromisoformat("2026-01-31T12:00:00Z")
NAMES: Final = {"name": "web-649fb6c97-vxhh4", "namespace": "shop", "uid": "5f0c1d1e-0000-4000-8000-000000000001"}
SERVICE: Final = "web"
TEMPLATE: Final = "aaaaaaaaaa"
REGISTRY: Final = "registry.example"

_TIME: Final = re.compile(r"(?<=\")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?=\")")
_LOCAL_REGISTRY: Final = re.compile(r"127\.0\.0\.1:\d+")


def recording(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recording of a pod."""
    meta, spec, status = pod["metadata"], pod["spec"], pod["status"]
    service = meta.get("labels", {}).get("mill.dev/service", "")
    kept = {
        "metadata": {
            **_only(meta, ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")),
            "resourceVersion": "1000",
            "labels": {
                "app.kubernetes.io/managed-by": "mill",
                "mill.dev/deployment": "mill",
                "mill.dev/service": SERVICE,
                "mill.dev/template": TEMPLATE,
            },
            "managedFields": [
                _only(each, ("manager", "operation", "subresource", "time"))
                for each in meta.get("managedFields", ())
                if each["manager"] == "kubelet"
            ],
        },
        "spec": {
            **_only(spec, ("nodeName",)),
            **{
                kind: [
                    _renamed(_only(each, ("name", "image", "restartPolicy", "resources")), service)
                    for each in spec[kind]
                ]
                for kind in ("initContainers", "containers")
                if kind in spec
            },
            "volumes": [each for each in spec.get("volumes", ()) if "persistentVolumeClaim" in each],
        },
        "status": {
            **_only(status, ("phase", "reason", "message", "startTime", "conditions")),
            **{
                kind: [
                    _renamed(_without(each, ("allocatedResources", "resources", "volumeMounts", "user")), service)
                    for each in status[kind]
                ]
                for kind in ("initContainerStatuses", "containerStatuses")
                if kind in status
            },
        },
    }
    text = json.dumps(kept)
    for field, name in NAMES.items():
        text = text.replace(meta[field], name)
    text = _LOCAL_REGISTRY.sub(REGISTRY, text)
    shift = CREATED - datetime.fromisoformat(meta["creationTimestamp"])
    result: dict[str, Any] = json.loads(_TIME.sub(lambda found: _shifted(found[0], shift), text))
    return result


def _only(body: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return {field: body[field] for field in fields if field in body}


def _without(body: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return {field: value for field, value in body.items() if field not in fields}


def _renamed(container: dict[str, Any], service: str) -> dict[str, Any]:
    return {**container, "name": SERVICE} if container["name"] == service else container


def _shifted(time: str, shift: timedelta) -> str:
    return (datetime.fromisoformat(time) + shift).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    print(json.dumps(recording(json.load(sys.stdin)), indent=2))
