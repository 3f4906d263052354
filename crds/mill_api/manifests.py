"""Containers, pods and Jobs of services and tasks: the parts that operator and gateway render alike.

A change of the result for an unchanged service restarts that service; the golden files of the operator's tests show it.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

from mill_api.durations import to_timedelta
from mill_api.placement import identity, resources
from mill_api.pod_permissions import NOTHING, PodPermissions
from mill_api.spec import Service, Task
from mill_api.stopping import grace_seconds
from mill_objects.json import Json

RUN_TTL_SECONDS: Final = 24 * 3600
"""Seconds for which the Job of a finished run is kept, for its logs."""


@dataclass(frozen=True, slots=True)
class PodOptions:
    """Settings of all pods, which operator and gateway share."""

    service_account: str | None = None
    """The pods' ServiceAccount, with its pull secrets; None: the namespace's `default`."""
    restricted: bool = False
    """Whether containers keep the `restricted` Pod Security Standard: no root, no capabilities."""
    pull_secret: str | None = None
    """The Secret of registry credentials of programs that name none; None: those of the ServiceAccount alone."""
    permissions: PodPermissions = NOTHING


def literal(text: str) -> str:
    """Escape a text against Kubernetes' own `$(VAR)`: it reads `$$` as `$`."""
    return text.replace("$", "$$")


def container_of(program: Service | Task, *, restricted: bool) -> Json:
    """Return the container of a pod: the part that services and tasks share, without references."""
    container: Json = {
        "name": program.name,
        "image": program.image,
        "resources": resources(program),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {"allowPrivilegeEscalation": False} | identity(program),
    }
    if restricted:
        container["securityContext"] |= {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
    if program.command:
        container["command"] = [literal(word) for word in program.command]
    if program.args:
        container["args"] = [literal(word) for word in program.args]
    return container


def pod_spec(container: Json, *, service_account: str | None) -> Json:
    """Return the spec of a pod: the part that services and tasks share."""
    named = {"serviceAccountName": service_account} if service_account else {}
    return {
        **named,
        "containers": [container],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_seconds(None, container),
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
    }


def run_spec(container: Json, labels: dict[str, str], timeout: str, *, service_account: str | None) -> Json:
    """Return the spec of a Job with one attempt: a failed run may have done half of its work.

    `labels` are those of its pod.
    """
    job: Json = {
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",  # a deleted pod may still succeed within its grace period
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
    """Return a run's timeout in whole seconds, rounded up; 0 for none."""
    return ceil(to_timedelta(timeout).total_seconds())
