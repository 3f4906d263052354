"""Patches that bring a MillDeployment to another spec.

A deploy replaces the spec whole: what left the file leaves the resource, and the order of services is the file's.
"""

from pydantic import ValidationError

from mill_api import names
from mill_api.spec import MillDeploymentSpec
from mill_gateway.objects.deployments import Deployment
from mill_objects.json import Json
from mill_objects.key import Key


def new_resource(key: Key, spec: MillDeploymentSpec) -> Json:
    """Return a new MillDeployment."""
    return spec.to_resource({"name": key.name, "namespace": key.namespace})


def force_patch(uid: str, spec: MillDeploymentSpec, request: str) -> Json:
    """Return the merge patch that brings a resource of any generation to `spec`, and starts a rollout."""
    whole = {**dict.fromkeys(MillDeploymentSpec.model_fields), **spec.to_wire()}  # null removes a field
    return {"metadata": {"uid": uid, "annotations": {names.ANNOTATION_REQUEST: request}}, "spec": whole}


def replace_patch(current: Deployment, spec: MillDeploymentSpec, request: str) -> list[Json]:
    """Return the JSON patch that brings a resource to `spec`, and fails if another generation exists by then.

    If the resource has this spec already, the patch starts a new rollout of it.
    """
    annotations = current.metadata.get("annotations")
    path = "/metadata/annotations/" + names.ANNOTATION_REQUEST.replace("/", "~1")
    patch: list[Json] = [
        {"op": "test", "path": "/metadata/uid", "value": current.uid},
        {"op": "test", "path": "/metadata/generation", "value": current.metadata["generation"]},
    ]
    if read_spec(current.spec) != spec:
        patch.append({"op": "add", "path": "/spec", "value": spec.to_wire()})
        if annotations and names.ANNOTATION_REQUEST in annotations:
            patch.append({"op": "remove", "path": path})
        return patch
    if annotations is None:
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    patch.append({"op": "add", "path": path, "value": request})
    return patch


def restart_patch(uid: str, service: str, request: str) -> Json:
    """Return the merge patch that gives a service new pods, in a new rollout.

    It leaves the spec as it is, so that a GitOps tool which manages the resource has nothing to revert.
    """
    annotations = {names.RESTART_PREFIX + service: request, names.ANNOTATION_REQUEST: request}
    return {"metadata": {"uid": uid, "annotations": annotations}}


def pause_patch(uid: str, *, paused: bool) -> Json:
    """Return the merge patch that pauses a resource, or resumes it. It leaves the spec as it is."""
    return {"metadata": {"uid": uid, "annotations": {names.ANNOTATION_PAUSED: "true" if paused else None}}}


def read_spec(spec: object) -> MillDeploymentSpec | None:
    """Return the spec of a resource; None if it is not valid."""
    try:
        return MillDeploymentSpec.model_validate(spec or {})
    except ValidationError:
        return None
