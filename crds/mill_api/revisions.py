"""Revisions: what was deployed, kept as ControllerRevisions that the MillDeployment owns.

The spec of a revision is in the object's `data`, which never changes. What is learned later is in annotations, as JSON:
who asked for it, the rollout, its result, the digests of images as they ran, and the tasks that have succeeded. An
object of a revision may have been made or edited by anyone: reading it is total.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from mill_api import names
from mill_api.owner import Owner
from mill_api.spec import MillDeploymentSpec
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.printable import one_line

KEPT: Final = 10
"""Revisions that are kept of a MillDeployment."""
LARGEST: Final = 2**31 - 1
"""The largest number of a revision."""
LONGEST_TEXT: Final = 253
"""Bytes of a name that is kept: of a user, a file, a rollout."""
LONGEST_ANNOTATION: Final = 64 * 1024
"""Characters of an annotation that are read. Longer ones are no record of Mill's."""
MOST_ENTRIES: Final = 400
"""Entries of a record by names of services or tasks that are read."""
SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"
SUPERSEDED: Final = "Superseded"
RESULTS: Final = (SUCCEEDED, FAILED, SUPERSEDED)

ANNOTATION_ROLLOUT: Final = f"{names.GROUP}/rollout"
"""Id of the newest rollout of the revision."""
ANNOTATION_RESULT: Final = f"{names.GROUP}/result"
"""`{"result": "Succeeded", "finishedAt": …}` of that rollout."""
ANNOTATION_DIGESTS: Final = f"{names.GROUP}/digests"
"""`{SERVICE: "sha256:…"}`, as the images ran."""
ANNOTATION_TASKS: Final = f"{names.GROUP}/tasks"
"""`{TASK: VERSION}` of the tasks that have succeeded."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for a revision."""

    by: str | None = None
    """Name of a user, a GitOps tool or a field manager; None if it is not known."""
    verified: bool = False
    """Whether that is known of this very spec."""
    source: str | None = None
    """Name of the file."""
    rollback: int | None = None
    """The revision to which this one went back."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision."""

    revision: int
    name: str
    """Name of the object."""
    spec: JsonView
    created_at: str = ""
    rollout: str | None = None
    asked: Asked = field(default_factory=Asked)
    result: str | None = None
    """One of `RESULTS`; None if there is none yet."""
    finished_at: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of its spec."""
        return spec_digest(self.spec)


def revision_name(deployment: str, revision: int) -> str:
    """Return the name of the object of a revision."""
    return f"{deployment}-{revision}"


def new_revision(owner: Owner, revision: int, spec: JsonView, annotations: Mapping[str, str]) -> dict[str, Any]:
    """Return the object of a revision, owned by its MillDeployment."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": revision_name(owner.key.name, revision),
            "namespace": owner.key.namespace,
            "labels": owner.labels(owner.key.name),
            "annotations": dict(annotations),
            "ownerReferences": [owner.reference(controller=True)],
        },
        "revision": revision,
        "data": {"spec": dict(spec)},
    }


def read_revision(body: object, uid: str) -> Revision | None:
    """Return the revision that an object is; None if it is none of the MillDeployment with this uid.

    One has the name of its number: no other object can have the same number.
    """
    metadata = fields.mapping(body, "metadata")
    number, name = fields.number(body, "revision"), fields.text(metadata, "name")
    references = fields.mappings(metadata, "ownerReferences")
    owners = [each for each in references if fields.flag(each, "controller") and fields.text(each, "uid") == uid]
    is_named = any(name == revision_name(fields.text(each, "name"), number) for each in owners)
    data = fields.mapping(body, "data")
    if not uid or not is_named or not 1 <= number <= LARGEST or not isinstance(data.get("spec"), dict):
        return None
    annotations = fields.texts(metadata, "annotations")
    result = _object(annotations.get(ANNOTATION_RESULT))
    word = fields.text(result, "result")
    return Revision(
        revision=number,
        name=name,
        spec=fields.mapping(data, "spec"),
        created_at=fields.time_text(metadata, "creationTimestamp") or "",
        rollout=_text(annotations.get(ANNOTATION_ROLLOUT)),
        asked=_read_recorded(annotations.get(names.ANNOTATION_ASKED)),
        result=word if word in RESULTS else None,
        finished_at=fields.time_text(result, "finishedAt"),
        digests=_record(annotations.get(ANNOTATION_DIGESTS)),
        tasks=_record(annotations.get(ANNOTATION_TASKS)),
    )


def spec_digest(spec: JsonView) -> str:
    """Return the digest of a spec: the same whether defaults are written out or not."""
    with contextlib.suppress(ValidationError):  # one of another release is taken as it is
        spec = MillDeploymentSpec.model_validate(spec).to_wire()
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def asked_annotation(by: str, spec: JsonView, *, source: str | None = None, rollback: int | None = None) -> str:
    """Return the annotation with which the gateway writes on the MillDeployment who asked for a spec."""
    found = {"by": _text(by), "file": _text(source), "spec": spec_digest(spec), "rollback": rollback}
    return json.dumps({name: value for name, value in found.items() if value is not None}, ensure_ascii=True)


def read_asked(annotations: Mapping[str, str], spec: JsonView) -> Asked | None:
    """Return who asked for the spec of a MillDeployment by its annotation; None if that does not say it.

    It is unverified if the annotation is about another spec: the spec was changed since.
    """
    found = _object(annotations.get(names.ANNOTATION_ASKED))
    asked = _asked(found, verified=fields.text(found, "spec") == spec_digest(spec))
    return asked if asked.by is not None else None


def recorded_asked(asked: Asked) -> str:
    """Return the annotation with which a revision keeps who asked for it."""
    found = {"by": asked.by, "verified": asked.verified, "file": asked.source, "rollback": asked.rollback}
    return json.dumps({name: value for name, value in found.items() if value is not None}, ensure_ascii=True)


def recorded_result(result: str, finished_at: datetime | str) -> str:
    """Return the annotation with which a revision keeps its result."""
    moment = finished_at if isinstance(finished_at, str) else finished_at.isoformat()
    return json.dumps({"result": result, "finishedAt": moment})


def _read_recorded(text: str | None) -> Asked:
    found = _object(text)
    return _asked(found, verified=fields.flag(found, "verified"))


def _asked(found: JsonView, *, verified: bool) -> Asked:
    """Return what a record says. Of another spec neither the file nor the rollback is known."""
    back = fields.optional_number(found, "rollback")
    by = _text(found.get("by"))
    if by is None or not verified:
        return Asked(by)
    return Asked(by, verified=True, source=_text(found.get("file")), rollback=back if back and back > 0 else None)


def _object(text: str | None) -> JsonView:
    """Return the JSON object of an annotation; an empty one if it is none."""
    if text is None or len(text) > LONGEST_ANNOTATION:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _record(text: str | None) -> dict[str, str]:
    """Return an annotation of texts by names."""
    entries = list(_object(text).items())[:MOST_ENTRIES]
    read = ((_text(name), _text(value)) for name, value in entries)
    return {name: value for name, value in read if name is not None and value is not None}


def _text(value: object) -> str | None:
    """Return a text on one line, cut; None if there is none."""
    return (one_line(fields.encodable(value), LONGEST_TEXT) or None) if isinstance(value, str) else None
