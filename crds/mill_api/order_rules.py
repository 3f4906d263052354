"""The rules of order: services after one another, and tasks before and after services."""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from mill_api.constraints import MAX_AFTER, MAX_ROLLOUT_TASKS, shown
from mill_api.dependencies import rings
from mill_api.durations import is_longer
from mill_api.problems import Problem
from mill_api.spec import MillDeploymentSpec, Service, Task
from mill_api.text_rules import DURATION

_NO_TIME: Final = timedelta(0)
_BEFORE: Final = "has(self.before) && size(self.before) > 0"
_AFTER: Final = "has(self.after) && size(self.after) > 0"

CEL_RULES: Final = (
    (f"!({_BEFORE}) || !({_AFTER})", "a task runs before services or after some"),
    (f"!has(self.schedule) || !({_BEFORE}) && !({_AFTER})", "a task runs in rollouts or on a schedule"),
)
"""Those of one task, each with its message; true for what is accepted."""


def after_problems(path: str, service: Service, services: Collection[str], tasks: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong with the services after which one starts. A task says itself what it runs before."""
    for each in name_problems(f"{path}.after", service.after, services):
        missing = each.absent[0].removeprefix("service.") if each.absent else ""
        advice = f'it is a task: write before = ["{service.name}"] in that task' if missing in tasks else each.help
        yield replace(each, help=advice)


def task_order_problems(path: str, task: Task, services: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong with the place of a task in a rollout."""
    yield from name_problems(f"{path}.before", task.before, services)
    yield from name_problems(f"{path}.after", task.after, services)
    if task.before and task.after:
        message, advice = "a task runs before services or after some", "keep one of both, or write two tasks"
        yield Problem(f"{path}.after", message, advice, (f"{path}.before",))
    kind = "before" if task.before else "after"
    if (task.before or task.after) and task.schedule is not None:
        # Its runs on schedule would be of no version, and could run beside the one for which a rollout waits.
        message, advice = "a task runs in rollouts or on a schedule", "keep one of both, or write two tasks"
        yield Problem(f"{path}.schedule", message, advice, (f"{path}.{kind}",))
    if (task.before or task.after) and DURATION.refuse(task.timeout) is None and not is_longer(task.timeout, _NO_TIME):
        message = f"a task with `{kind}` needs a time limit: a rollout waits for it"
        yield Problem(f"{path}.timeout", message, 'write the longest time that it takes: "1h"', (f"{path}.{kind}",))


def name_problems(path: str, names: Sequence[str], services: Collection[str]) -> Iterator[Problem]:
    """Yield names of services that are named twice, unknown or too many. `services` are those of the spec."""
    first: dict[str, str] = {}
    for index, name in enumerate(names[:MAX_AFTER]):
        where = f"{path}.{index}"
        earlier = first.setdefault(name, where)
        if earlier != where:
            yield Problem(where, f"'{shown(name)}' is named twice", "name it once", (earlier,))
        elif name not in services:
            yield Problem(where, f"unknown service '{shown(name)}'", absent=(f"service.{name}",))
    if len(names) > MAX_AFTER:
        advice = "name only those that it needs directly"
        yield Problem(path, f"more than {MAX_AFTER} services", advice)


def ring_problems(spec: MillDeploymentSpec) -> Iterator[Problem]:
    """Yield services that start after one another in a ring: none of them could start."""
    after = {each.name: each.after[:MAX_AFTER] for each in spec.services}
    for ring in rings(after):
        places = [f"service.{name}.after.{after[name].index(other)}" for name, other in itertools.pairwise(ring)]
        message = f"services start after one another in a ring: {' → '.join(map(shown, ring))}"
        yield Problem(places[0], message, "remove one of these names from `after`", tuple(places[1:]))


def rollout_task_problems(spec: MillDeploymentSpec) -> Iterator[Problem]:
    """Yield the first task in rollouts that is too many."""
    ordered = [task for task in spec.tasks if task.before or task.after]
    if len(ordered) > MAX_ROLLOUT_TASKS:
        extra, kind = ordered[MAX_ROLLOUT_TASKS].name, "before" if ordered[MAX_ROLLOUT_TASKS].before else "after"
        message = f"more than {MAX_ROLLOUT_TASKS} tasks with `before` or `after`"
        yield Problem(f"task.{extra}.{kind}", message, "let one task do the work of several")
