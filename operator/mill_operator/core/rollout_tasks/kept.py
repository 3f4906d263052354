"""What the revisions say of the tasks of rollouts: for which versions they have succeeded.

The status says it too. It can be lost, as by a restore of the resource alone; and a rollback names an image whose tag
has moved by the digest that ran then, which is another text for the same program.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mill_api.revisions import Revision
from mill_api.rollout_tasks import VERSIONS_KEPT, RolloutTask, RolloutTaskState
from mill_api.versions import version_of
from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.core.rollout_tasks.desired import DesiredRolloutTask


def is_to_be_looked_up(before: Sequence[RolloutTask], after: Sequence[RolloutTask]) -> bool:
    """Return whether a run would start: before the first one of a version, the revisions are looked at."""
    known = {(each.name, each.run) for each in before}
    return any(
        each.state is RolloutTaskState.RUNNING and each.uid is None and (each.name, each.run) not in known
        for each in after
    )


def with_kept_versions(
    before: Sequence[RolloutTask],
    desired: Iterable[DesiredRolloutTask],
    spec: JsonView,
    revisions: Sequence[Revision],
) -> list[RolloutTask]:
    """Return the states with the versions for which the revisions say that a task has succeeded."""
    states = {each.name: each for each in before}
    for task in desired:
        known = states.get(task.name)
        succeeded = [] if known is None else known.succeeded
        if task.version in succeeded or not any(_has_succeeded(task, spec, each) for each in revisions):
            continue
        versions = [task.version, *succeeded][:VERSIONS_KEPT]
        new = RolloutTask(name=task.name, version=task.version, state=RolloutTaskState.WAITING)
        states[task.name] = (new if known is None else known).model_copy(update={"succeeded": versions})
    return list(states.values())


def _has_succeeded(task: DesiredRolloutTask, spec: JsonView, revision: Revision) -> bool:
    kept = revision.tasks.get(task.name)
    if kept is None:
        return False
    return kept == task.version or kept == _version_as_then(task, spec, revision)


def _version_as_then(task: DesiredRolloutTask, spec: JsonView, revision: Revision) -> str | None:
    """Return the version of a task if images are named as in a revision, where they name by digest what it ran."""
    ran = dict(_ran_by_digest(revision))
    tasks, services = (
        {fields.text(each, "name"): _as_then(each, ran) for each in fields.mappings(spec, kind)}
        for kind in ("tasks", "services")
    )
    if task.name not in tasks:
        return None
    named = {name: services[name] for name in (*task.before, *task.after) if name in services}
    return version_of(tasks[task.name], named)


def _ran_by_digest(revision: Revision) -> Iterable[tuple[str, str]]:
    for each in fields.mappings(revision.spec, "services"):
        image, digest = fields.text(each, "image"), revision.digests.get(fields.text(each, "name"))
        if image and digest is not None:
            yield f"{image}@{digest}", image


def _as_then(program: JsonView, ran: Mapping[str, str]) -> dict[str, Any]:
    image = fields.text(program, "image")
    return {**program, "image": ran[image]} if image in ran else dict(program)
