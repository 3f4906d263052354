"""The objects of the in-memory API server: what each write makes of them."""

from dataclasses import dataclass
from typing import Final

from mill_kube import resources
from mill_kube.connection import Request
from mill_kube.resources import Resource
from mill_objects.json import Json
from tests.support.apiserver import patches, refusals
from tests.support.apiserver.copies import copied
from tests.support.apiserver.faults import action_of
from tests.support.apiserver.ownership import Manager, Owners
from tests.support.apiserver.refusals import Place

WITH_STATUS: Final = frozenset(
    {
        resources.MILL_DEPLOYMENTS, resources.DEPLOYMENTS, resources.REPLICA_SETS, resources.PODS, resources.SERVICES,
        resources.INGRESSES, resources.CLAIMS, resources.NODES, resources.CRON_JOBS, resources.JOBS,
    }
)  # fmt: skip
"""Kinds whose status is written by the subresource alone."""
WITH_GENERATION: Final = WITH_STATUS - {resources.PODS, resources.SERVICES, resources.CLAIMS, resources.NODES}

_FIXED: Final = (
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "managedFields",
)  # fmt: skip
"""Metadata that no write changes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object with the owners of its fields."""

    body: Json
    owners: Owners

    def rendered(self) -> Json:
        """Return a copy of the body with its field managers."""
        body = copied(self.body)
        if managed := self.owners.managed_fields():
            body["metadata"]["managedFields"] = managed
        return body


def type_of(resource: Resource) -> Json:
    return {"apiVersion": resource.api_version, "kind": resource.kind}


def created(place: Place, request: Request, uid: str, at: str) -> Stored:
    """Return the object that a creation, or an apply of a missing object, makes."""
    resource, namespace, name = place
    body = copied(request.body)
    meta = body["metadata"]
    is_apply = action_of(request) == "apply"
    if ("resourceVersion" in meta and not is_apply) or meta.get("namespace", namespace) != namespace:
        raise NotImplementedError(f"{request} of a body with a version or of another namespace")
    if is_apply:
        meta.pop("resourceVersion", None)
        if request.subresource:
            raise refusals.not_found(place)
        if "uid" in meta:
            raise refusals.conflict(place, "uid mismatch: no existing object was found")
    if resource in WITH_STATUS:
        body.pop("status", None)
    meta |= {"name": name, "uid": uid, "creationTimestamp": at}
    meta |= {"namespace": namespace} if namespace else {}
    meta |= {"generation": 1} if resource in WITH_GENERATION else {}
    owners = Owners().written(_manager(request), {}, body, at)
    _set_defaults(resource, body)
    return Stored({**type_of(resource), **body}, owners)


def changed(place: Place, stored: Stored, request: Request, at: str) -> Stored:
    """Return what an update or a patch makes of an object. Raise `ApiError` if it is refused."""
    body, owners = stored.body, stored.owners
    if action_of(request) == "apply":
        if request.subresource:
            raise NotImplementedError(f"{request} of a subresource")
        refusals.check_identity(place, body["metadata"], request.body["metadata"])
        if request.query.get("force") != "true":
            refusals.check_conflicts(owners.conflicts(_manager(request), body, request.body))
        new, owners = owners.applied(_manager(request), body, request.body, at)
    else:
        new = _patched(body, request)
        given = new.get("metadata") or {}
        if request.subresource == "status" and place[0] == resources.MILL_DEPLOYMENTS:
            given = {**given, "uid": None}  # its metadata is ignored, unlike that of a built-in kind
        refusals.check_identity(place, body["metadata"], given)
    _set_defaults(place[0], new)
    _keep_fixed(new, body, place[0], request.subresource)
    if action_of(request) != "apply":
        owners = owners.written(_manager(request), body, new, at)
    return Stored(new, owners)


def _set_defaults(resource: Resource, body: Json) -> None:
    """Set the default that Mill relies on; those of other fields are not modeled."""
    if resource == resources.DEPLOYMENTS and "spec" in body:
        body["spec"].setdefault("replicas", 1)


def _patched(body: Json, request: Request) -> Json:
    match action_of(request):
        case "update":
            if "resourceVersion" not in request.body["metadata"]:
                raise NotImplementedError("an update without a resource version")
            return dict(copied(request.body))
        case "merge_patch":
            return dict(copied(patches.merge(body, request.body)))
    try:
        return dict(patches.json_patch(body, request.body))
    except patches.PatchFailed as error:
        raise refusals.failed_patch(str(error)) from error


def _keep_fixed(new: Json, body: Json, resource: Resource, subresource: str | None) -> None:
    """Undo the changes that a write may not make, and count the generation."""
    if subresource == "status":
        status = new.get("status")
        new.clear()
        new.update(copied(body))
        new["status"] = status
    elif resource in WITH_STATUS:
        new["status"] = copied(body.get("status"))
    if new.get("status") is None:
        new.pop("status", None)
    meta = new["metadata"]
    for key in _FIXED:
        meta.pop(key, None)
    meta |= {key: body["metadata"][key] for key in _FIXED if key in body["metadata"]}
    if resource in WITH_GENERATION and _content(new) != _content(body):
        meta["generation"] = meta.get("generation", 0) + 1


def _content(body: Json) -> Json:
    return {key: value for key, value in body.items() if key not in ("metadata", "status")}


def _manager(request: Request) -> Manager:
    operation = "Apply" if action_of(request) == "apply" else "Update"
    return Manager(request.query["fieldManager"] or "", operation, request.subresource or "")
