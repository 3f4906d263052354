"""The tasks of a spec that run in rollouts, each with the version that the spec asks for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from mill_api.dependencies import Dependencies
from mill_api.versions import version_in_rollout
from mill_objects.json import Json


@dataclass(frozen=True, slots=True)
class DesiredRolloutTask:
    """A task with `before` or `after`."""

    name: str
    version: str
    before: tuple[str, ...] = ()
    """The services whose new versions begin when it has succeeded."""
    after: tuple[str, ...] = ()
    """The services after whose success it runs."""
    needs: tuple[str, ...] = ()
    """The services that it refers to and that do not wait for it: its run starts when they serve."""


def desired_rollout_tasks(
    tasks: Iterable[Json],
    services: Mapping[str, Json],
    depends_on: Mapping[str, Dependencies],
    named: Mapping[str, Collection[str]],
) -> tuple[DesiredRolloutTask, ...]:
    """Return the tasks that run in rollouts, in the order of the file.

    `named` has the services that each task names, by the task's name.
    """
    found = []
    for task in tasks:
        wanted = version_in_rollout(task, services)
        if wanted is None:
            continue
        version, before, after = wanted
        held = _held_with(before, depends_on)
        needs = tuple(name for name in services if name in named.get(task["name"], ()) and name not in held)
        found.append(DesiredRolloutTask(task["name"], version, before, after, needs if before else ()))
    return tuple(found)


def _held_with(before: Iterable[str], depends_on: Mapping[str, Dependencies]) -> set[str]:
    """Return the services that a task holds back, with those that come after them, or refer to them.

    Also these may serve only when it has succeeded: if its run waited for them, neither wait would end.
    """
    held = set(before)
    grows = True
    while grows:
        more = {name for name, each in depends_on.items() if not held.isdisjoint((*each.after, *each.refers_to))} - held
        held |= more
        grows = bool(more)
    return held
