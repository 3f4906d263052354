"""Whose an object is that has the name of a desired object: the one rule of what the operator may change and use."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from mill_api import names
from mill_api.owner import Owner
from mill_objects import fields
from mill_objects.fields import Unreadable
from mill_objects.json import JsonView
from mill_operator.core.observed.children import ObservedChild, project_child
from mill_operator.core.observed.foreign_text import name


class Ownership(Enum):
    """Whose an object is."""

    OURS = "ours"
    """It has the labels of this MillDeployment, and this one as its controller, or none.

    A claim never has one, so that data outlives the MillDeployment. Another object has none after `kubectl delete
    --cascade=orphan`, or when a backup was restored: its labels were given by the operator, or by a user who may
    change the object anyway.
    """
    PREDECESSOR = "predecessor"
    """Its controller is an older MillDeployment of the same name: the garbage collector deletes it."""
    FOREIGN = "foreign"
    """It lacks the labels, or another object is its controller, whatever its labels are."""


class FoundObject(NamedTuple):
    """An object that the API server has, and the caches do not."""

    ownership: Ownership
    uid: str
    owner: str
    """A name for its owner, in one line."""
    terminating: bool


def ownership(child: ObservedChild, owner: Owner) -> Ownership:
    """Return whose a child object is that the caches have: they select by label."""
    if child.deployment != owner.key.name:
        return Ownership.FOREIGN
    if child.owner_uid in ("", owner.uid):
        return Ownership.OURS
    return Ownership.PREDECESSOR if child.owner == f"{names.KIND} {owner.key.name}" else Ownership.FOREIGN


def is_ours(child: ObservedChild, owner: Owner) -> bool:
    """Return whether a child object belongs to the MillDeployment."""
    return ownership(child, owner) is Ownership.OURS


def found_object(kind: str, body: JsonView, owner: Owner) -> FoundObject:
    """Return whose an object is that was looked up. One that cannot be read is foreign."""
    try:
        child = project_child(kind, body)
    except Unreadable:
        return FoundObject(Ownership.FOREIGN, "", owner_of(body), terminating=False)
    labels = fields.texts(fields.mapping(body, "metadata"), "labels")
    is_managed = labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY
    whose = ownership(child, owner) if is_managed else Ownership.FOREIGN
    # Its controller is this MillDeployment: another user has changed its labels.
    lacks = ", and lacks its labels" if whose is Ownership.FOREIGN and child.owner_uid == owner.uid else ""
    return FoundObject(whose, child.uid, f"{owner_of(body)}{lacks}", child.terminating)


def owner_of(body: JsonView) -> str:
    """Return a name for the owner of an object, in one line: its owner, what manages it, or who has written it."""
    return name(_raw_owner(body))


def _raw_owner(body: Mapping[str, Any]) -> str:
    meta = fields.mapping(body, "metadata")
    for owner in fields.mappings(meta, "ownerReferences"):
        return f"{fields.text(owner, 'kind')} {fields.text(owner, 'name')}"
    labels = fields.texts(meta, "labels")
    if deployment := labels.get(names.LABEL_DEPLOYMENT):
        return f"{names.KIND} {deployment}"
    if manager := labels.get(names.LABEL_MANAGED_BY):
        return manager
    # A built-in controller writes a status, or an annotation and a field of a claim: it does not own the object.
    writes = [each for each in fields.mappings(meta, "managedFields") if not fields.text(each, "subresource")]
    main = max(writes, key=lambda each: len(fields.mapping(each, "fieldsV1", "f:spec")), default={})
    return fields.text(main, "manager") or "another owner"
