"""The plan of a deploy as lines: what is added, changed and removed, and the volumes that stay."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.differences import MARKS, renames, task_runs
from mill_cli.output.screen import styled
from mill_cli.output.text import one_line

MOST_SHOWN: Final = 20
"""Lines for each kind of change."""
MOST_FIELDS: Final = 5
"""Fields that the line of a changed service names."""
_BASE: Final = re.compile(r"[-.0-9A-Za-z]{1,100}")


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a service or a task."""

    kind: str
    """`service` or `task`."""
    name: str
    change: str
    """`added`, `changed`, `removed` or `unchanged`."""
    fields: tuple[str, ...] = ()
    """The changed fields, for people."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deploy will do."""

    where: str
    """Namespace and name."""
    created: bool
    base: str | None
    """What the deploy requires, so that it does this and nothing else; None of a gateway that does not say it."""
    changes: tuple[Change, ...]
    volumes_kept: tuple[str, ...]
    renames: tuple[str, ...] = ()
    """A line for each service that probably has a new name."""
    tasks: tuple[str, ...] = ()
    """A line for each task that runs in the rollout, or does not since it has succeeded."""

    @property
    def removed_services(self) -> list[str]:
        """The names of the services that will be removed."""
        return [each.name for each in self.changes if (each.kind, each.change) == ("service", "removed")]


def read_plan(answer: Any) -> Plan | None:
    """Return the plan in a gateway's answer to a dry run; None if it has none that can be read."""
    match answer:
        case {"namespace": str(namespace), "name": str(name), "services": list(services), "tasks": list(tasks)}:
            base = answer.get("base")
            volumes = answer.get("volumes_kept")
            return Plan(
                where=one_line(f"{namespace}/{name}"),
                created=answer.get("created") is True,
                base=base if isinstance(base, str) and _BASE.fullmatch(base) else None,
                changes=(*_changes("service", services), *_changes("task", tasks)),
                volumes_kept=tuple(one_line(str(each)) for each in volumes) if isinstance(volumes, list) else (),
                renames=tuple(itertools.islice(renames(answer), MOST_SHOWN)),
                tasks=tuple(itertools.islice(task_runs(answer), MOST_SHOWN)),
            )
    return None


def lines(plan: Plan, *, color: bool) -> Iterator[str]:
    """Yield the lines of a plan."""
    counts = dict.fromkeys([*MARKS, "unchanged"], 0)
    for each in plan.changes:
        counts[each.change] = counts.get(each.change, 0) + 1
    if not any(counts[each] for each in MARKS):
        yield f"plan for {plan.where}: no changes"
        yield from (f"  {each}" for each in plan.tasks)
        return
    new = " (new)" if plan.created else ""
    yield f"plan for {plan.where}{new}: {', '.join(f'{count} {each}' for each, count in counts.items() if count)}"
    for change, (mark, style) in MARKS.items():
        found = [each for each in plan.changes if each.change == change]
        for each in found[:MOST_SHOWN]:
            line = f"  {mark} {each.kind} {each.name}{_fields(each.fields)}"
            yield styled(line, style) if color else line
        if len(found) > MOST_SHOWN:
            yield f"  {mark} and {len(found) - MOST_SHOWN} more {change}"
    yield from (f"  {each}" for each in (*plan.renames, *plan.tasks))
    if plan.volumes_kept:
        yield f"  {kept_volumes(plan.volumes_kept)}"


def kept_volumes(names: Sequence[str]) -> str:
    """Return the line about volumes that stay."""
    several = len(names) > 1
    return f"{'volumes' if several else 'volume'} {_listed(names)}: kept, with {'their' if several else 'its'} data"


def question(plan: Plan) -> str:
    """Return the question whether services shall be removed."""
    removed = plan.removed_services
    return f"remove {len(removed)} service{'s' if len(removed) > 1 else ''} ({_listed(removed)}) from {plan.where}?"


def unreadable(where: str, services: Sequence[str]) -> str:
    """Return the line for who may not read what is deployed."""
    listed = _listed([one_line(each) for each in services]) or "none"
    return (
        f"plan for {one_line(where)}: services of the file: {listed}; "
        "what changes is unknown without the right to get the MillDeployment"
    )


def _changes(kind: str, programs: list[Any]) -> Iterator[Change]:
    for each in programs:
        match each:
            case {"name": str(name), "change": str(change)}:
                fields = each.get("fields")
                yield Change(
                    kind, one_line(name), one_line(change), tuple(_changed(fields if isinstance(fields, list) else []))
                )


def _changed(fields: list[Any]) -> Iterator[str]:
    """Yield each changed field. Values are shown of images alone: those of variables may be secret."""
    for each in fields:
        match each:
            case {"path": "image", "before": str(before), "after": str(after)}:
                yield f"image {one_line(before)} → {one_line(after)}"
            case {"path": str(path)}:
                yield one_line(path)


def _fields(fields: Sequence[str]) -> str:
    more = len(fields) - MOST_FIELDS
    shown = [*fields[:MOST_FIELDS], *([f"{more} more"] if more > 0 else [])]
    return f": {', '.join(shown)}" if shown else ""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_SHOWN
    return ", ".join(names[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
