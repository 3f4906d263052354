"""What the revisions say of the tasks of rollouts: whether one has succeeded for the version that a spec asks for.

The status says it too. It can be lost, as by a restore of the resource alone; a rollback names an image whose tag has
moved by the digest that ran then, which is another text for the same program; and a rollback of one service puts
programs together that have run, but never at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mill_api.revisions import Revision, spec_digest
from mill_api.versions import RolloutVersion, program_of, version_in_rollout, version_of
from mill_objects import fields
from mill_objects.json import JsonView


def goes_back(spec: JsonView, revisions: Iterable[Revision]) -> bool:
    """Whether a spec is that of the newest revision, and this one is known to be a rollback."""
    newest = max(revisions, key=lambda each: each.revision, default=None)
    return newest is not None and newest.asked.rollback is not None and newest.digest == spec_digest(spec)


def has_succeeded(task: str, spec: JsonView, revisions: Sequence[Revision], *, is_rollback: bool) -> bool:
    """Whether a task of a spec needs no run, by what the revisions say.

    It has succeeded for this version. Or, in a rollback, its program has succeeded, and each service that it names has
    run as it is: what a migration did stays, so that it has nothing to do for an older service.
    """
    wanted = _Wanted.of(task, spec)
    if wanted is None:
        return False
    found = [_Found(each, wanted) for each in revisions]
    return any(each.is_version for each in found) or (is_rollback and _have_run(wanted, found))


def _have_run(wanted: "_Wanted", found: Sequence["_Found"]) -> bool:
    return any(each.has_program for each in found) and all(
        any(each.has_service(name) for each in found) for name in wanted.services
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A task that runs in rollouts, with the services that it names."""

    name: str
    task: JsonView
    services: Mapping[str, JsonView]
    version: RolloutVersion

    @classmethod
    def of(cls, name: str, spec: JsonView) -> "_Wanted | None":
        tasks, services = _by_name(spec, "tasks"), _by_name(spec, "services")
        version = version_in_rollout(tasks[name], services) if name in tasks else None
        if version is None:
            return None
        return cls(name, tasks[name], {each: services[each] for each in (*version.before, *version.after)}, version)


class _Found:
    """What one revision says of a task."""

    def __init__(self, revision: Revision, wanted: _Wanted) -> None:
        self._then = _Wanted.of(wanted.name, revision.spec)
        self._services = _by_name(revision.spec, "services")
        succeeded = revision.tasks.get(wanted.name)
        ran = {
            f"{image}@{digest}": image
            for name, each in self._services.items()
            if (image := fields.text(each, "image")) and (digest := revision.digests.get(name)) is not None
        }
        self._task = _as_then(wanted.task, ran)
        self._wanted = {name: _as_then(each, ran) for name, each in wanted.services.items()}
        self._has_succeeded = self._then is not None and succeeded == self._then.version.version
        self.is_version = succeeded is not None and succeeded in (
            wanted.version.version,
            version_of(self._task, self._wanted),
        )
        """Whether the task has succeeded for the version, under the names that images had then."""

    @property
    def has_program(self) -> bool:
        """Whether the program of the task has succeeded."""
        return self._then is not None and self._has_succeeded and program_of(self._then.task) == program_of(self._task)

    def has_service(self, name: str) -> bool:
        """Whether a service was as it is now, and began with this task's success or without this task."""
        then = self._services.get(name)
        if then is None or program_of(then) != program_of(self._wanted[name]):
            return False
        return self._has_succeeded or self._then is None or name not in self._then.services


def _by_name(spec: JsonView, kind: str) -> dict[str, dict[str, Any]]:
    return {name: each for each in fields.mappings(spec, kind) if (name := fields.text(each, "name"))}


def _as_then(program: JsonView, ran: Mapping[str, str]) -> dict[str, Any]:
    """Return a program with its image named as in a revision, if it names by digest what that revision ran."""
    image = fields.text(program, "image")
    return {**program, "image": ran[image]} if image in ran else dict(program)
