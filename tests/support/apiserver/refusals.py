"""The refusals of an API server, with its statuses and reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from mill_kube.errors import ApiError, Conflict, NotFound
from mill_kube.resources import Resource
from tests.support.apiserver.ownership import Manager, Path

Place = tuple[Resource, str, str]


def not_found(place: Place) -> ApiError:
    resource, _, name = place
    details = {"name": name, "kind": resource.plural, **({"group": resource.group} if resource.group else {})}
    return NotFound(404, "NotFound", f'{resource.full_name} "{name}" not found', details)


def no_namespace(name: str) -> ApiError:
    return NotFound(404, "NotFound", f'namespaces "{name}" not found', {"name": name, "kind": "namespaces"})


def already_exists(place: Place) -> ApiError:
    resource, _, name = place
    details = {"name": name, "kind": resource.plural}
    return Conflict(409, "AlreadyExists", f'{resource.full_name} "{name}" already exists', details)


def conflict(place: Place, why: str) -> ApiError:
    resource, _, name = place
    message = f'Operation cannot be fulfilled on {resource.full_name} "{name}": {why}'
    return Conflict(409, "Conflict", message, {"name": name, "kind": resource.plural})


def invalid(place: Place, why: str) -> ApiError:
    resource, _, name = place
    message = f'{resource.kind} "{name}" is invalid: {why}'
    return ApiError(422, "Invalid", message, {"name": name, "kind": resource.kind})


def failed_patch(why: str) -> ApiError:
    """Return the refusal of a JSON patch, which names no object."""
    return ApiError(422, "Invalid", why)


def check_identity(place: Place, meta: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a write for another version (409) or for another object of the same name (422)."""
    version = given.get("resourceVersion") or meta["resourceVersion"]
    if version != meta["resourceVersion"]:
        raise conflict(place, "the object has been modified; please apply your changes to the latest version")
    if (given.get("uid") or meta["uid"]) != meta["uid"]:
        raise invalid(place, "metadata.uid: field is immutable")


def check_conflicts(found: Sequence[tuple[Manager, Path]]) -> None:
    """Refuse an apply without `force` that would change fields of other managers."""
    if not found:
        return
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager.name}"', "field": f".{'.'.join(path)}"}
        for manager, path in found
    ]
    counted = f"{len(found)} conflict{'s' if len(found) > 1 else ''}"
    raise Conflict(409, "Conflict", f"Apply failed with {counted}: {causes[0]['message']}", {"causes": causes})
