"""Jobs and pods of runs, made from what Kubernetes records of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from mill_operator.core import timestamps
from mill_operator.core.observed.jobs import ObservedJob, project_job
from mill_operator.core.observed.pods import ObservedPod, project_pod
from tests.support.recordings import CREATED, body, changed

TIMED_OUT = "Job was active longer than specified deadline"
GAVE_UP = "Job has reached the specified backoff limit"


def at(seconds: float) -> str:
    return timestamps.render(CREATED + timedelta(seconds=seconds))


def job(*conditions: tuple[str, str, float], name: str = "web-1", deadline: int = 30, **meta: Any) -> ObservedJob:
    """Return a Job; each condition is its type, its reason, and when it became true, in seconds."""
    said = [
        {
            "type": kind,
            "status": "True",
            "reason": reason,
            "message": TIMED_OUT if reason == "DeadlineExceeded" else GAVE_UP,
            "lastTransitionTime": (CREATED + timedelta(seconds=moment)).isoformat(),
        }
        for kind, reason, moment in conditions
    ]
    container = {
        "name": "web",
        "image": "registry.example/web:1",
        "resources": {"limits": {"memory": "256M"}},
        "env": [
            {"name": "PLAIN", "value": "x"},
            {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "mill-secrets", "key": "db.url"}}},
        ],
    }
    return project_job(
        {
            "metadata": {
                "name": name,
                "namespace": "shop",
                "uid": f"{name}-uid",
                "resourceVersion": "1",
                "creationTimestamp": "2026-01-31T12:00:00Z",
                "labels": {"mill.dev/deployment": "mill", "mill.dev/task": "web"},
                "ownerReferences": [{"kind": "CronJob", "name": "web", "uid": "cron-uid"}],
                **meta,
            },
            "spec": {
                "activeDeadlineSeconds": deadline,
                "template": {"spec": {"containers": [{"name": "injected", "image": "proxy"}, container]}},
            },
            "status": {"conditions": said},
        }
    )


def pod(recorded: str, **changes: Any) -> ObservedPod:
    """Return a recorded pod as that of a run, which is never restarted."""
    made = body(recorded)
    labels = made["metadata"]["labels"]
    labels |= {"mill.dev/task": labels.pop("mill.dev/service"), "batch.kubernetes.io/job-name": "web-1"}
    return changed(project_pod(made), **changes)


def ended(code: int, reason: str = "Error", **changes: Any) -> ObservedPod:
    crashed = pod("crashed-once")
    assert crashed.container.ended is not None
    end = replace(crashed.container.ended, exit_code=code, reason=reason)
    return changed(crashed, ended=end, phase="Failed" if code else "Succeeded", **changes)


def of(task: str, name: str, *conditions: tuple[str, str, float], created: float = 0) -> ObservedJob:
    made = job(*conditions, name=name)
    return replace(made, task=task, created=CREATED + timedelta(seconds=created))
