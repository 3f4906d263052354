"""Patches that bring a MillDeployment to another spec.

A deploy replaces the spec whole: what left the file leaves the resource, and the order of services is the file's.
"""

from pydantic import ValidationError

from mill_api import names
from mill_api.spec import MillDeploymentSpec
from mill_gateway.objects.deployments import Deployment
from mill_objects.json import Json
from mill_objects.key import Key


def new_resource(key: Key, spec: MillDeploymentSpec, asked: str | None = None) -> Json:
    """Return a new MillDeployment. `asked` is the annotation that says who asked for the spec; None: it stays."""
    identity = {"name": key.name, "namespace": key.namespace}
    body = spec.to_resource(identity)
    if asked is not None:
        body["metadata"] = {**identity, "annotations": {names.ANNOTATION_ASKED: asked}}
    return body


def force_patch(uid: str, spec: MillDeploymentSpec, request: str, asked: str | None = None) -> Json:
    """Return the merge patch that brings a resource of any generation to `spec`, and starts a rollout."""
    whole = {**dict.fromkeys(MillDeploymentSpec.model_fields), **spec.to_wire()}  # null removes a field
    annotations = {names.ANNOTATION_REQUEST: request} | ({} if asked is None else {names.ANNOTATION_ASKED: asked})
    return {"metadata": {"uid": uid, "annotations": annotations}, "spec": whole}


def replace_patch(current: Deployment, spec: MillDeploymentSpec, request: str, asked: str | None = None) -> list[Json]:
    """Return the JSON patch that brings a resource to `spec`, and fails if another generation exists by then.

    If the resource has this spec already, the patch starts a new rollout of it.
    """
    annotations = current.metadata.get("annotations")
    patch: list[Json] = [
        {"op": "test", "path": "/metadata/uid", "value": current.uid},
        {"op": "test", "path": "/metadata/generation", "value": current.metadata["generation"]},
    ]
    is_other = read_spec(current.spec) != spec
    if is_other:
        patch.append({"op": "add", "path": "/spec", "value": spec.to_wire()})
    wanted = {} if asked is None else {names.ANNOTATION_ASKED: asked}
    if not is_other:
        wanted[names.ANNOTATION_REQUEST] = request
    elif annotations and names.ANNOTATION_REQUEST in annotations:
        patch.append({"op": "remove", "path": _annotation(names.ANNOTATION_REQUEST)})
    if wanted and annotations is None:
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    patch += [{"op": "add", "path": _annotation(name), "value": value} for name, value in wanted.items()]
    return patch


def _annotation(name: str) -> str:
    return "/metadata/annotations/" + name.replace("/", "~1")


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
