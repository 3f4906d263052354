"""Identity, limits and place of a service or task → the fields of its pod template, which services and tasks share."""

from typing import Final

from mill_api.place import NO_LIMIT
from mill_api.place_rules import ARCH_LABEL
from mill_api.pod_permissions import PodPermissions
from mill_api.spec import Service, Task
from mill_api.stopping import grace_seconds
from mill_objects.json import Json

ON_MISMATCH: Final = "OnRootMismatch"
"""Walk through a volume only if its top folder does not belong to the group yet."""


def resources(program: Service | Task) -> Json:
    """Return the resources of a program's container."""
    requests: Json = {"cpu": program.cpu, "memory": program.memory}
    limits = {**requests}
    if program.limits is not None:
        limits |= {"cpu": program.limits.cpu or program.cpu, "memory": program.limits.memory or program.memory}
        if limits["cpu"] == NO_LIMIT:
            del limits["cpu"]
    gpu = {name: str(count) for name, count in program.gpu.items()}  # which cannot be shared: limit and request are one
    return {"requests": requests | gpu, "limits": limits | gpu}


def memory_limit(program: Service | Task) -> str:
    """Return the memory above which a program's container is ended."""
    return (program.limits.memory if program.limits is not None else None) or program.memory


def identity(program: Service | Task) -> Json:
    """Return the fields of a container's security context that a program sets."""
    context: Json = {}
    if program.user is not None:
        context["runAsUser"] = program.user
    if program.user:
        context["runAsNonRoot"] = True
    if program.group is not None:
        context["runAsGroup"] = program.group
    if program.read_only_root:
        context["readOnlyRootFilesystem"] = True
    return context


def placed(
    template: Json, program: Service | Task, permissions: PodPermissions, *, pull_secret: str | None = None
) -> Json:
    """Return a pod template with what a program says of its pods. Its own labels and annotations win.

    `pull_secret` names the Secret of registry credentials of programs that name none.
    """
    meta, spec = template["metadata"], {**template["spec"]}
    if program.group is not None:
        volumes = {"fsGroup": program.group, "fsGroupChangePolicy": ON_MISMATCH}
        spec["securityContext"] = {**spec.get("securityContext", {}), **volumes}
    [container] = spec["containers"]
    spec["terminationGracePeriodSeconds"] = grace_seconds(program.stop, container)
    if signal := permissions.stop_signal_of(program):
        lifecycle = {**container.get("lifecycle", {}), "stopSignal": signal}
        spec |= {"containers": [{**container, "lifecycle": lifecycle}], "os": {"name": "linux"}}
    if (pull := program.pull or pull_secret) is not None:
        spec["imagePullSecrets"] = [{"name": pull}]
    if selector := node_selector(program):
        spec["nodeSelector"] = selector
    if tolerated := permissions.tolerations_of(program):
        spec["tolerations"] = [{"key": key, "operator": "Exists"} for key in tolerated]
    if labels := permissions.labels_of(program):
        meta = {**meta, "labels": {**labels, **meta.get("labels", {})}}
    if annotations := permissions.annotations_of(program):
        meta = {**meta, "annotations": {**annotations, **meta.get("annotations", {})}}
    return {**template, "metadata": meta, "spec": spec}


def node_selector(program: Service | Task) -> dict[str, str]:
    """Return the labels that nodes must have."""
    place = program.place
    if place is None:
        return {}
    return place.labels | ({ARCH_LABEL: place.arch} if place.arch is not None else {})
