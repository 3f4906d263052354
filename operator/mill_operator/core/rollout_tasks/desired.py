"""The tasks of a spec that run in rollouts, each with the version that the spec asks for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

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
    found: list[DesiredRolloutTask] = []
    for task in tasks:
        if (wanted := version_in_rollout(task, services)) is not None:
            needs = set(named.get(task["name"], ())) if wanted.before else set()
            version, before, after = wanted
            found.append(DesiredRolloutTask(task["name"], version, before, after, tuple(needs)))
    own = {each.name: _held_with(each.before, depends_on) for each in found}
    waiting = [(set(each.needs) - own[each.name], each.before) for each in found if each.before]
    return tuple(
        replace(each, needs=tuple(name for name in services if name in each.needs and name not in held))
        for each in found
        for held in (_held_with(each.before, depends_on, waiting),)
    )


def _held_with(
    before: Iterable[str],
    depends_on: Mapping[str, Dependencies],
    waiting: Iterable[tuple[Collection[str], Iterable[str]]] = (),
) -> set[str]:
    """Return the services that a task holds back, with those that come after them, or refer to them.

    Also these may serve only when it has succeeded: if its run waited for them, neither wait would end. The same holds
    for what other tasks hold back that wait for one of these: `waiting` has the services for which a task waits, and
    those that it holds back.
    """
    held = set(before)
    grows = True
    while grows:
        more = {name for name, each in depends_on.items() if not held.isdisjoint((*each.after, *each.refers_to))}
        more.update(name for needs, theirs in waiting if not held.isdisjoint(needs) for name in theirs)
        grows = not more <= held
        held |= more
    return held
