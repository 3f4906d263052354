"""A rollback before it is written: to which revision it goes, and the spec that it writes."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from mill_api.revisions import Revision, spec_digest
from mill_api.rollback import default_target, rollback_spec
from mill_api.spec import MillDeploymentSpec
from mill_api.task_records import has_succeeded
from mill_api.validation import problems
from mill_gateway.core.difference import difference
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


def service_names(revisions: Iterable[Revision]) -> list[str]:
    """Return the names of the services that revisions have, each once."""
    services = (each for revision in revisions for each in fields.mappings(revision.spec, "services"))
    return list(dict.fromkeys(fields.text(each, "name") for each in services))


def find_target(
    current: JsonView, revisions: Sequence[Revision], number: int | None, service: str | None
) -> Revision | None:
    """Return the revision of a number, or else the last that succeeded and differs: as a whole, or in a service."""
    if number is not None:
        return next((each for each in revisions if each.revision == number), None)
    there = (each for each in revisions if service is None or service in service_names([each]))
    for each in sorted(there, key=lambda found: found.revision, reverse=True):
        if default_target(current, [each]) is not None and _differs(current, each, revisions, service):
            return each
    return None


def _differs(current: JsonView, target: Revision, revisions: Sequence[Revision], service: str | None) -> bool:
    """Whether a rollback would change something: not the order of services alone, nor to an image that runs already.

    It is asked of the spec that would be written: by then, an image whose tag has moved is named by its digest.
    """
    back, _ = rollback_spec(current, target, _newer(revisions, target), None if service is None else [service])
    before, after = read_spec(current), read_spec(back)
    if before is None or after is None:  # one of another release is compared as it is
        return spec_digest(back) != spec_digest(current)
    return difference(before, after).changed


def _newer(revisions: Sequence[Revision], target: Revision) -> list[Revision]:
    return [each for each in revisions if each.revision > target.revision]


def prepare(
    current: JsonView, target: Revision, revisions: Sequence[Revision], service: str | None
) -> PreparedRollback:
    """Return what a rollback writes. Raise `InvalidRevisionError`."""
    newer = _newer(revisions, target)
    services = None if service is None else [service]
    older = [each for each in revisions if each.revision < target.revision]
    back, notes = rollback_spec(current, target, newer, services, older)
    as_kept, _ = rollback_spec(current, target, (), services)
    spec = read_spec(back)
    if spec is None:
        raise InvalidRevisionError("it is one of another release")
    if found := problems(spec):
        raise InvalidRevisionError("\n".join(f"{each.path}: {each.message}" for each in found[:PROBLEMS_SHOWN]))
    tasks = [fields.text(each, "name") for each in fields.mappings(back, "tasks")]
    succeeded = frozenset(name for name in tasks if has_succeeded(name, back, revisions, is_rollback=True))
    return PreparedRollback(target, spec, as_kept, notes, succeeded)
