"""A rollback before it is written: to which revision it goes, and the spec that it writes."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from mill_api.revisions import SUCCEEDED, Revision, spec_digest
from mill_api.rollback import default_target, rollback_spec
from mill_api.spec import MillDeploymentSpec
from mill_api.task_records import has_succeeded
from mill_api.validation import problems
from mill_gateway.core.patches import read_spec
from mill_objects import fields
from mill_objects.json import JsonView

PROBLEMS_SHOWN: Final = 20


class InvalidRevisionError(ValueError):
    """The spec of a revision is not valid any more. The message has its problems, one per line."""


class PreparedRollback(NamedTuple):
    """What a rollback writes."""

    target: Revision
    spec: MillDeploymentSpec
    as_kept: JsonView
    """The same without the digests of moved tags: by it, tasks have their versions."""
    notes: list[str]
    """What does not go back."""
    succeeded: frozenset[str] = frozenset()
    """The tasks that need no run."""


def has_service(revision: Revision, service: str) -> bool:
    """Whether a revision has a service of this name."""
    return any(fields.text(each, "name") == service for each in fields.mappings(revision.spec, "services"))


def find_target(
    current: JsonView, revisions: Sequence[Revision], number: int | None, service: str | None
) -> Revision | None:
    """Return the revision of a number, or else the last that succeeded and differs: as a whole, or in a service."""
    if number is not None:
        return next((each for each in revisions if each.revision == number), None)
    if service is None:
        return default_target(current, revisions)
    deployed = spec_digest(current)
    good = (each for each in revisions if each.result == SUCCEEDED and has_service(each, service))
    others = (each for each in good if spec_digest(rollback_spec(current, each, (), [service])[0]) != deployed)
    return max(others, key=lambda each: each.revision, default=None)


def prepare(
    current: JsonView, target: Revision, revisions: Sequence[Revision], service: str | None
) -> PreparedRollback:
    """Return what a rollback writes. Raise `InvalidRevisionError`."""
    newer = [each for each in revisions if each.revision > target.revision]
    services = None if service is None else [service]
    back, notes = rollback_spec(current, target, newer, services)
    as_kept, _ = rollback_spec(current, target, (), services)
    spec = read_spec(back)
    if spec is None:
        raise InvalidRevisionError("it is one of another release")
    if found := problems(spec):
        raise InvalidRevisionError("\n".join(f"{each.path}: {each.message}" for each in found[:PROBLEMS_SHOWN]))
    tasks = [fields.text(each, "name") for each in fields.mappings(back, "tasks")]
    succeeded = frozenset(name for name in tasks if has_succeeded(name, back, revisions, is_rollback=True))
    return PreparedRollback(target, spec, as_kept, notes, succeeded)
