"""Writing a MillDeployment: created, or its spec replaced whole, or asked for a new rollout.

Replaced, not merged: what left the file leaves the resource, whoever wrote it before, and the order is the file's.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from mill_api import names
from mill_api.events import new_request, rollout_id
from mill_api.spec import MillDeploymentSpec
from mill_gateway.core.ownership import gitops_owner, managers_of
from mill_gateway.exceptions import DeploymentTerminating, ManagedByGitOps, WriteConflict
from mill_kube.client import ApiError, Conflict, KubeClient, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key

MANAGER = names.GATEWAY_FIELD_MANAGER
ATTEMPTS = 5
UNPROCESSABLE = 422

Authorise = Callable[[str], Awaitable[None]]
"""Asks for the right to write, by the verb (`create`, `patch`) that is about to be sent. Raises `AccessDenied`."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a deploy is written."""

    force: bool = False
    """Over the head of the GitOps tool that manages the resource."""
    dry_run: bool = False
    """Only asked of the API server, which checks everything and keeps nothing."""


async def write(
    client: KubeClient,
    key: Key,
    spec: MillDeploymentSpec,
    known: Json | None,
    options: WriteOptions | None = None,
    *,
    authorise: Authorise,
) -> Json:
    """Bring the resource to `spec` and return it. One that has it already is asked for a new rollout.

    `known` is the resource as the watch has it (metadata and spec), or None. It may be out of date: what is written
    is refused then, and tried again with the resource as it is. Of several who write at once, the last one wins.

    `authorise` is asked before each write, since one that begins as a creation may go on as a change, and the other
    way round: whoever may do one of them may not be led to do the other by somebody who is faster.
    """
    options, there = options or WriteOptions(), known
    for attempt in range(ATTEMPTS):
        await authorise("patch" if there else "create")
        try:
            if there is None:
                body = resource(key, spec)
                return await client.create(
                    MILL_DEPLOYMENTS, key.namespace, body, manager=MANAGER, dry_run=options.dry_run
                )
            _refuse(key, there["metadata"], force=options.force)
            request = new_request(datetime.now(UTC))
            if attempt == ATTEMPTS - 1:  # others who write all the time are not waited for any longer
                body = force_patch(there["metadata"]["uid"], spec, request)
                return await client.merge_patch(MILL_DEPLOYMENTS, *key, body, manager=MANAGER, dry_run=options.dry_run)
            patch = replace_patch(there, spec, request)
            return await client.json_patch(MILL_DEPLOYMENTS, *key, patch, manager=MANAGER, dry_run=options.dry_run)
        except (NotFound, Conflict) as error:
            if isinstance(error, NotFound) and there is None:
                raise  # not the resource is missing, but its namespace or its kind
        except ApiError as error:
            if not _outdated(error):
                raise
        there = await _read(client, key)
    raise WriteConflict(f"MillDeployment {key}: conflict: the resource keeps being recreated; try again")


async def restart(client: KubeClient, key: Key, uid: str, service: str) -> Json:
    """Ask for new pods of a service, and for a rollout that tells of them. Return the resource.

    No change of the spec, so that a GitOps tool which manages the resource has nothing to undo.
    """
    request = new_request(datetime.now(UTC))
    annotations = {names.RESTART_PREFIX + service: request, names.ANNOTATION_REQUEST: request}
    body = {"metadata": {"uid": uid, "annotations": annotations}}
    return await client.merge_patch(MILL_DEPLOYMENTS, *key, body, manager=MANAGER)


def asked_for(written: Json) -> tuple[str, str]:
    """Return the uid and the rollout of what was written.

    Not of what is in the store by then: that may be the next deploy already, whose outcome is not this one's.
    """
    return written["metadata"]["uid"], rollout_id(written["metadata"])


def _outdated(error: ApiError) -> bool:
    """Tell whether a patch was refused since the resource is not as it was: the API server then names no object.

    Where it names one, the object would not be valid.
    """
    return error.status == UNPROCESSABLE and "kind" not in error.details


def _refuse(key: Key, metadata: Mapping[str, Any], *, force: bool) -> None:
    """Refuse to write what is going, or what is somebody else's."""
    if "deletionTimestamp" in metadata:
        raise DeploymentTerminating(f"MillDeployment {key} is being deleted; try again when it is gone")
    owner = gitops_owner(metadata, metadata.get("managers") or managers_of(metadata))
    if owner is not None and not force:
        raise ManagedByGitOps(
            f"MillDeployment {key} is managed by {owner}: change it there, "
            "or force it (`?force=true`, `mill deploy --force`), until its next sync puts back what it manages",
            owner=owner,
        )


async def _read(client: KubeClient, key: Key) -> Json | None:
    try:
        return await client.get(MILL_DEPLOYMENTS, *key)
    except NotFound:
        return None


def resource(key: Key, spec: MillDeploymentSpec) -> Json:
    """Return a new MillDeployment."""
    return spec.to_resource({"name": key.name, "namespace": key.namespace})


def force_patch(uid: str, spec: MillDeploymentSpec, request: str) -> Json:
    """Return the merge patch that brings a resource to `spec` whatever it is by then, with a rollout of its own."""
    whole = {**dict.fromkeys(MillDeploymentSpec.model_fields), **spec.to_wire()}  # null removes what is not asked for
    return {"metadata": {"uid": uid, "annotations": {names.ANNOTATION_REQUEST: request}}, "spec": whole}


def replace_patch(there: Mapping[str, Any], spec: MillDeploymentSpec, request: str) -> list[Json]:
    """Return the JSON patch that brings a resource to `spec`, if nobody has changed its spec meanwhile."""
    meta = there["metadata"]
    annotations = meta.get("annotations")
    path = "/metadata/annotations/" + names.ANNOTATION_REQUEST.replace("/", "~1")
    patch: list[Json] = [
        {"op": "test", "path": "/metadata/uid", "value": meta["uid"]},
        {"op": "test", "path": "/metadata/generation", "value": meta["generation"]},
    ]
    if spec_of(there.get("spec")) != spec:
        patch.append({"op": "add", "path": "/spec", "value": spec.to_wire()})
        if annotations and names.ANNOTATION_REQUEST in annotations:
            patch.append({"op": "remove", "path": path})
        return patch
    if annotations is None:
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    patch.append({"op": "add", "path": path, "value": request})
    return patch


def spec_of(there: object) -> MillDeploymentSpec | None:
    """Read the spec of a resource; None if it is none of ours."""
    try:
        return MillDeploymentSpec.model_validate(there or {})
    except ValidationError:
        return None
