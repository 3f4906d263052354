"""Which field manager set which field, for server-side apply. Lists are one field: schemas are not modeled."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.support.apiserver.copies import copied

Path = tuple[str, ...]

_SYSTEM = frozenset({"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "managedFields"})


class Manager(NamedTuple):
    """A field manager: one name has an entry for its applies, one for its other writes, and those of the status."""

    name: str
    operation: str
    """`Apply` or `Update`."""
    subresource: str = ""


@dataclass
class Owners:
    """The owners of one object's fields."""

    fields: dict[Manager, frozenset[Path]] = field(default_factory=dict)
    times: dict[Manager, str] = field(default_factory=dict)
    """When each wrote last."""

    def written(self, manager: Manager, before: Any, after: Any, at: str) -> "Owners":
        """Return the owners after a write: its manager owns what it set or changed; what it removed has no owner."""
        old, new = dict(_leaves(before)), dict(_leaves(after))
        changed = {path for path, value in new.items() if path not in old or old[path] != value}
        touched = changed | (old.keys() - new.keys())
        fields = {each: paths - touched for each, paths in self.fields.items()}
        fields[manager] = fields.get(manager, frozenset()) | changed
        return self._of(fields, {manager: at} if touched else {})

    def conflicts(self, manager: Manager, current: Any, body: Any) -> list[tuple[Manager, Path]]:
        """Return the fields of other managers that an apply would change, each with its manager."""
        old = dict(_leaves(current))
        changed = {path for path, value in _leaves(body) if old.get(path, value) != value}
        return [(each, path) for each, paths in self.fields.items() if each != manager for path in changed & paths]

    def applied(self, manager: Manager, current: Any, body: Any, at: str) -> tuple[Any, "Owners"]:
        """Return the object after an apply with `force`, and its owners.

        The fields of the body are the manager's; others that have the same value still own them too. Its fields of the
        last apply that are not in the body are removed, unless another manager owns them.
        """
        new = dict(_leaves(body))
        others = {each: paths for each, paths in self.fields.items() if each != manager}
        held = frozenset[Path]().union(*others.values())
        result = copied(current)
        for path in sorted(self.fields.get(manager, frozenset()) - new.keys() - held):
            _remove(result, path)
        old = dict(_leaves(current))
        for path, value in new.items():
            _set(result, path, value)
        taken = {path for path, value in new.items() if old.get(path, value) != value}
        fields = {each: paths - taken for each, paths in others.items()} | {manager: frozenset(new)}
        changed = result != current or fields[manager] != self.fields.get(manager)
        return result, self._of(fields, {manager: at} if changed else {})

    def _of(self, fields: dict[Manager, frozenset[Path]], times: dict[Manager, str]) -> "Owners":
        kept = {each: paths for each, paths in fields.items() if paths}
        return Owners(kept, {each: at for each, at in (self.times | times).items() if each in kept})

    def managed_fields(self) -> list[dict[str, Any]]:
        """Return `metadata.managedFields`."""
        return [
            {
                "manager": each.name,
                "operation": each.operation,
                "time": self.times[each],
                "fieldsType": "FieldsV1",
                "fieldsV1": _fields_v1(paths),
                **({"subresource": each.subresource} if each.subresource else {}),
            }
            for each, paths in self.fields.items()
        ]


def _fields_v1(paths: Iterable[Path]) -> dict[str, Any]:
    """Return paths in the form of `fieldsV1`."""
    root: dict[str, Any] = {}
    for path in paths:
        place = root
        for part in path:
            place = place.setdefault(f"f:{part}", {})
    return root


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the fields that can be owned: all but the identity of an object and what the server sets."""
    if path in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")):
        return
    if len(path) == 2 and path[0] == "metadata" and path[1] in _SYSTEM:
        return
    if isinstance(value, Mapping) and (value or path in ((), ("metadata",))):
        for key, each in value.items():
            yield from _leaves(each, (*path, key))
    else:
        yield path, value


def _set(target: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(target.get(part), dict):
            target[part] = {}
        target = target[part]
    if not (value == {} and isinstance(target.get(path[-1]), dict)):
        target[path[-1]] = copied(value)


def _remove(target: Any, path: Path) -> None:
    """Remove a field, and the maps that are empty without it."""
    first, *rest = path
    if first not in target:
        return
    if rest:
        _remove(target[first], tuple(rest))
    if not rest or target[first] == {}:
        del target[first]
