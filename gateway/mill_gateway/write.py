"""Writing a MillDeployment: created, or its spec replaced whole.

Replaced, not merged: what left the file leaves the resource, whoever wrote it before, and the order is the file's.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from mill_api import names
from mill_api.events import new_request
from mill_api.key import Key
from mill_api.kube.client import ApiError, Conflict, KubeClient, NotFound
from mill_api.kube.resources import MILL_DEPLOYMENTS
from mill_api.spec import MillDeploymentSpec
from mill_gateway.errors import Refused

MANAGER = "mill-gateway"
ATTEMPTS = 5
UNPROCESSABLE = 422

Json = dict[str, Any]


async def write(client: KubeClient, key: Key, spec: MillDeploymentSpec, known: Json | None) -> Json:
    """Bring the resource to `spec` and return it. One that has it already is asked for a new rollout.

    `known` is the resource as the watch has it (metadata and spec), or None. It may be out of date: what is written
    is refused then, and tried again with the resource as it is.
    """
    there = known
    for _ in range(ATTEMPTS):
        try:
            if there is None:
                return await client.create(MILL_DEPLOYMENTS, key.namespace, resource(key, spec), manager=MANAGER)
            if "deletionTimestamp" in there["metadata"]:
                raise Refused(409, f"MillDeployment {key} is being deleted; try again when it is gone")
            patch = replacement(there, spec, new_request(datetime.now(UTC)))
            return await client.json_patch(MILL_DEPLOYMENTS, *key, patch, manager=MANAGER)
        except (NotFound, Conflict) as error:
            if isinstance(error, NotFound) and there is None:
                raise  # not the resource is missing, but its namespace or its kind
        except ApiError as error:
            if error.status != UNPROCESSABLE or "test" not in error.message:
                raise
        there = await _read(client, key)
    raise Refused(409, f"MillDeployment {key} is being changed by others all the time; try again")


async def _read(client: KubeClient, key: Key) -> Json | None:
    try:
        return await client.get(MILL_DEPLOYMENTS, *key)
    except NotFound:
        return None


def resource(key: Key, spec: MillDeploymentSpec) -> Json:
    """Return a new MillDeployment."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": spec.to_wire(),
    }


def replacement(there: Mapping[str, Any], spec: MillDeploymentSpec, request: str) -> list[Json]:
    """Return the JSON patch that brings a resource to `spec`, if nobody has changed its spec meanwhile."""
    meta = there["metadata"]
    annotations = meta.get("annotations")
    path = "/metadata/annotations/" + names.ANNOTATION_REQUEST.replace("/", "~1")
    patch: list[Json] = [
        {"op": "test", "path": "/metadata/uid", "value": meta["uid"]},
        {"op": "test", "path": "/metadata/generation", "value": meta["generation"]},
    ]
    if not _same(there.get("spec"), spec):
        patch.append({"op": "add", "path": "/spec", "value": spec.to_wire()})
        if annotations and names.ANNOTATION_REQUEST in annotations:
            patch.append({"op": "remove", "path": path})
        return patch
    if annotations is None:
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    patch.append({"op": "add", "path": path, "value": request})
    return patch


def _same(there: object, spec: MillDeploymentSpec) -> bool:
    try:
        return MillDeploymentSpec.model_validate(there or {}) == spec
    except ValidationError:
        return False
