"""A program → its container, its pod, its run: what operator and gateway make alike.

A change of what this makes of an unchanged service restarts it. The golden files of the operator's tests hold it.
"""

from math import ceil
from typing import Final

from mill_api.durations import to_timedelta
from mill_api.spec import Service, Task
from mill_objects.json import Json

GRACE_SECONDS: Final = 10
"""How long a pod has between being told to end and being killed."""
RUN_TTL_SECONDS: Final = 24 * 3600
"""How long the Job of a run that has ended stays: as long as people ask for its logs."""


def literal(text: str) -> str:
    """Protect a text from Kubernetes' own `$(VAR)`: it reads `$$` as `$`."""
    return text.replace("$", "$$")


def container_of(program: Service | Task, *, restricted: bool) -> Json:
    """Return the one container of a pod, as far as services and tasks have it alike."""
    amounts = {"cpu": program.cpu, "memory": program.memory}
    container: Json = {
        "name": program.name,
        "image": program.image,
        "resources": {"requests": amounts, "limits": amounts},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {"allowPrivilegeEscalation": False},
    }
    if restricted:
        container["securityContext"] |= {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
    if program.command:
        container["command"] = [literal(word) for word in program.command]
    return container


def pod_spec(container: Json, *, service_account: str | None) -> Json:
    """Return a pod, as far as services and tasks have it alike."""
    named = {"serviceAccountName": service_account} if service_account else {}
    return {
        **named,
        "containers": [container],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
    }


def run_spec(container: Json, labels: dict[str, str], timeout: str, *, service_account: str | None) -> Json:
    """Return the spec of a Job: one attempt, since half of the work may be done."""
    job: Json = {
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",  # a pod that is deleted has a grace in which it may still end well
        "ttlSecondsAfterFinished": RUN_TTL_SECONDS,
        "template": {
            "metadata": {"labels": labels},
            "spec": {**pod_spec(container, service_account=service_account), "restartPolicy": "Never"},
        },
    }
    if limit := deadline(timeout):
        job["activeDeadlineSeconds"] = limit
    return job


def deadline(timeout: str) -> int:
    """Return a run's time-out in whole seconds, rounded up; 0: it has none."""
    return ceil(to_timedelta(timeout).total_seconds())
