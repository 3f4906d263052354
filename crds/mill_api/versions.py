"""The version of a task in a rollout: a digest of its program and of those of the services that it comes before.

A task runs once for each version. What a version is made of is what the file says of the programs, so that it is the
same whatever renders it: no restart, number of replicas, route, resource or setting makes another one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

_PROGRAM: Final = ("image", "command", "args", "env")
"""The fields of a service or task that say which program runs, and how. Files are read field by field."""
_FILE: Final = ("path", "content", "secret", "mode")
_DIGEST_BYTES: Final = 8


class RolloutVersion(NamedTuple):
    """What a spec asks for of a task with `before` or `after`."""

    version: str
    before: tuple[str, ...]
    """The services of the spec that it names in `before`."""
    after: tuple[str, ...]


def version_in_rollout(task: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]) -> RolloutVersion | None:
    """Return what a spec asks for of a task; None if it runs in no rollout. `services` are all of the spec."""
    before, after = (
        tuple(name for name in _listed(task.get(key)) if isinstance(name, str) and name in services)
        for key in ("before", "after")
    )
    if not before and not after:
        return None
    return RolloutVersion(version_of(task, {name: services[name] for name in (*before, *after)}), before, after)


def version_of(task: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the version of a task, as 16 hexadecimal digits.

    `task` and `services`, by their names, are parts of a spec as plain JSON. The order of services and of variables
    makes no difference, and neither does a default that is written out.
    """
    programs = {"task": program_of(task), "services": {name: program_of(each) for name, each in services.items()}}
    text = json.dumps(programs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def program_of(of: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of the program of a service or task: the part of it that makes a version."""
    found = {name: of[name] for name in _PROGRAM if of.get(name)}
    if files := [each for each in _listed(of.get("files")) if isinstance(each, Mapping)]:
        found["files"] = sorted(
            ({name: each[name] for name in _FILE if each.get(name) is not None} for each in files),
            key=lambda each: str(each.get("path")),
        )
    return found


def _listed(found: object) -> Sequence[Any]:
    """Return a list; an empty one for anything else, which a revision may have."""
    return found if isinstance(found, list | tuple) else ()
