"""Changes that a deploy would make, by service and field."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal

from pydantic import BaseModel, Field

from mill_api.spec import MillDeploymentSpec, Service

Kind = Literal["added", "changed", "removed", "unchanged"]


class FieldChange(BaseModel):
    """A field with another value."""

    path: str = Field(description="Path of the field: `image`, `env.LOG_LEVEL`, `routes.www.example.com/.websocket`.")
    before: Any = Field(None, description="Current value; null if it has none.")
    after: Any = Field(None, description="New value; null if it has none.")


class ProgramChange(BaseModel):
    """A service or a task."""

    name: str = Field(description="Its name.")
    change: Kind = Field(description="What the deploy would do with it.")
    fields: list[FieldChange] = Field(default_factory=list, description="Fields with another value, if it is changed.")


class Rename(BaseModel):
    """A service that goes and another that comes with the same image and port, so that it probably has a new name."""

    before: str = Field(description="Name whose address in the cluster goes.")
    after: str = Field(description="Name by which the service is reached.")


class Difference(BaseModel):
    """All services and tasks, in the order of the new file; removed ones are last."""

    changed: bool = Field(description="Whether anything differs.")
    services: list[ProgramChange] = Field(description="The services.")
    tasks: list[ProgramChange] = Field(description="The tasks.")
    renamed: list[Rename] = Field(default_factory=list, description="Services that probably have a new name.")


def difference(before: MillDeploymentSpec | None, after: MillDeploymentSpec) -> Difference:
    """Compare the current spec (None: there is none) with the new one."""
    old = before or MillDeploymentSpec()
    services = _programs(_by_name(old.services), _by_name(after.services))
    tasks = _programs(_by_name(old.tasks), _by_name(after.tasks))
    changed = any(each.change != "unchanged" for each in (*services, *tasks))
    return Difference(changed=changed, services=services, tasks=tasks, renamed=list(_renames(old, after)))


def _renames(before: MillDeploymentSpec, after: MillDeploymentSpec) -> Iterator[Rename]:
    """Yield removed services with the one new service that has their image, of any tag, and their port."""
    kept = {each.name for each in before.services} & {each.name for each in after.services}
    gone, new = _by_program(before.services, kept), _by_program(after.services, kept)
    for program, names in gone.items():
        others = new.get(program, [])
        if len(names) == len(others) == 1:  # of several it is a guess which one is which
            yield Rename(before=names[0], after=others[0])


def _by_program(services: Sequence[Service], kept: AbstractSet[str]) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for each in services:
        if each.name not in kept and each.port is not None:
            found.setdefault((_repository(each.image), each.port), []).append(each.name)
    return found


def _repository(image: str) -> str:
    """Return an image reference without tag and digest."""
    path, slash, name = image.partition("@")[0].rpartition("/")
    return f"{path}{slash}{name.partition(':')[0]}"


def volumes_left(before: MillDeploymentSpec | None, after: MillDeploymentSpec) -> list[str]:
    """Return the persistent volumes that the new spec has no more: their claims and data stay."""
    kept = {volume.name for service in after.services for volume in service.volumes if not volume.ephemeral}
    had = (
        volume.name
        for service in (before.services if before else ())
        for volume in service.volumes
        if not volume.ephemeral
    )
    return [name for name in dict.fromkeys(had) if name not in kept]


def _by_name(programs: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return programs as on the wire, by name, in their order."""
    return {each.name: each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in programs}


def _programs(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[ProgramChange]:
    changes = [_program(name, old.get(name), wanted) for name, wanted in new.items()]
    return changes + [ProgramChange(name=name, change="removed") for name in old if name not in new]


def _program(name: str, old: Any, new: Any) -> ProgramChange:
    if old is None:
        return ProgramChange(name=name, change="added")
    before, after = dict(_leaves(old)), dict(_leaves(new))
    paths = [*after, *(path for path in before if path not in after)]
    fields = [
        FieldChange(path=path, before=before.get(path), after=after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    ]
    return ProgramChange(name=name, change="changed" if fields else "unchanged", fields=fields)


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each field with its path. Items of a list are named by content, since their position has no meaning."""
    for key, inner in value.items():
        path = f"{prefix}{key}"
        if isinstance(inner, dict):
            yield from _leaves(inner, f"{path}.")
        elif isinstance(inner, list) and inner and all(isinstance(each, dict) for each in inner):
            for each in inner:
                named = f"{path}.{each.get('name') or each.get('host', '') + each['path']}"
                yield from _leaves(each, f"{named}.")
        elif inner not in ([], {}):
            yield path, inner
