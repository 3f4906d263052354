"""A child object before and after the operator has applied it again → what another field manager had changed.

Only what the apply has put back counts: both objects are answers of the API server, with its defaults, and fields that
the operator does not set belong to others. Values are reported of a few fields alone; environments, arguments and
annotations may have credentials in them.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from mill_api import names
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.observed.foreign_text import name, untrusted_text

_VALUES: Final = frozenset({"replicas", "image", "suspend", "ingressClassName"})
"""The fields whose values are reported. All others may have foreign text of any kind in them."""
_SHOWN: Final = 4
"""How many fields of an edit are named."""
_MANAGERS: Final = 2
"""How many field managers of an edit are named."""
_AUTOSCALERS: Final = frozenset({"kube-controller-manager", "k3s", "kubelite"})
"""The field managers of the controller of HorizontalPodAutoscalers, in Kubernetes and in distributions that run all
controllers in a process of another name."""
_OWN: Final = frozenset({names.OPERATOR_FIELD_MANAGER, names.REPLICAS_FIELD_MANAGER})
_SCALE: Final = "scale"
_KEY_LENGTH: Final = 512
"""Characters of a key of `fieldsV1` that are read."""


class EditedObject(NamedTuple):
    """A child object that another field manager has changed."""

    kind: str
    name: str
    service: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a child object by another field manager, which the operator has put back."""

    change: str
    """Which fields were changed, as `replicas 5 → 2`: from the edit to what was put back."""
    by: str = ""
    """The field managers; empty if they are not known."""
    is_autoscaled: bool = False
    """Whether an autoscaler has changed the replicas."""
    count: int = 1
    """How often it was put back."""


DELETED: Final = Edit("deleted, made again")
"""The edit of an object that was deleted. Nothing says by whom."""


class _Field(NamedTuple):
    """A part of an object, as it is reported."""

    path: tuple[str, ...]
    """Its place in the object; an element of a list by its name."""
    where: str
    """What of the object it belongs to; empty if it is the object itself."""


def read_edit(before: JsonView, after: JsonView, applied: JsonView) -> Edit | None:
    """Return what an apply has put back; None if nothing.

    `before` and `after` are the whole objects as the API server has them, `applied` is what was applied.
    """
    old, new = dict(_fields(before)), dict(_fields(after))
    changed = sorted((each for each, _ in _fields(applied) if old.get(each) != new.get(each)), key=_rank)
    if not changed:
        return None
    parts = {each.where for each in old}
    texts = dict.fromkeys(
        each.where if each.where and each.where not in parts else _text(each, old, new) for each in changed
    )
    owners = [owner for each in changed if (owner := _owner(before, each.path)) is not None]
    managers = dict.fromkeys(filter(None, map(_name, owners or _last_writers(before))))
    return Edit(
        one_line(_listed(list(texts), _SHOWN, "; "), limits.EDIT_BYTES),
        _listed(list(managers), _MANAGERS, " and "),
        is_autoscaled=any(map(_is_autoscaler, owners)),
    )


def _fields(body: JsonView) -> Iterator[tuple[_Field, Any]]:
    """Yield the parts of an object that are compared, each with its value."""
    spec = fields.mapping(body, "spec")
    is_job = "jobTemplate" in spec
    runs = ("spec", "jobTemplate", "spec") if is_job else ("spec",)
    yield from _parts(body, ("spec",), "", {"template", "jobTemplate"})
    if is_job:
        yield from _parts(body, runs, "the runs", {"template"})
    yield from _parts(body, (*runs, "template", "metadata"), "the pods", ())
    pods = (*runs, "template", "spec")
    yield from _parts(body, pods, "the pods", {"containers", "initContainers"})
    for key in ("initContainers", "containers"):
        for container in fields.mappings(fields.mapping(body, *pods), key):
            called = fields.text(container, "name")
            for part, value in container.items():
                yield _Field((*pods, key, called, part), f"container {called}"), value


def _parts(body: JsonView, path: tuple[str, ...], where: str, without: Collection[str]) -> Iterator[tuple[_Field, Any]]:
    for key, value in fields.mapping(body, *path).items():
        if key not in without:
            yield _Field((*path, key), where), value


def _rank(field: _Field) -> bool:
    """Order the fields whose values are reported before the others."""
    return field.path[-1] not in _VALUES


def _text(field: _Field, old: Mapping[_Field, Any], new: Mapping[_Field, Any]) -> str:
    """Return the text of a field that was put back."""
    part = field.path[-1]
    values = ""
    if part in _VALUES:
        values = f" {_value(old.get(field))} → {_value(new.get(field))}"
    return f"{part}{values}" + (f" of {field.where}" if field.where else "")


def _value(value: object) -> str:
    """Return a value for people."""
    if isinstance(value, bool):
        return str(value).lower()
    text = fields.quantity({"value": value}, "value")
    return one_line(untrusted_text(text), limits.EDIT_VALUE_BYTES) or "none"


def _others(body: JsonView) -> list[dict[str, Any]]:
    """Return the entries of other field managers than the operator that write more than the status."""
    entries = fields.mappings(fields.mapping(body, "metadata"), "managedFields")
    return [
        each
        for each in entries
        if fields.text(each, "manager") not in _OWN and fields.text(each, "subresource") != "status"
    ]


def _owner(body: JsonView, path: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the newest entry that owns a field or a part of it. Who removes a field does not own it."""
    owning = [each for each in _others(body) if _has(fields.mapping(each, "fieldsV1"), path)]
    return max(owning, key=_written_at, default=None)


def _last_writers(body: JsonView) -> list[dict[str, Any]]:
    """Return the entry that was written last, if there is one."""
    return sorted(_others(body), key=_written_at)[-1:]


def _has(owned: JsonView, path: Sequence[str]) -> bool:
    """Return whether a set of fields has a field, a part of it, or as a whole what it is a part of."""
    for depth, part in enumerate(path):
        if depth and not owned:
            return True
        step = f"f:{part}" if f"f:{part}" in owned else _element(owned, part)
        if step is None:
            return False
        owned = fields.mapping(owned, step)
    return True


def _element(owned: JsonView, called: str) -> str | None:
    """Return the key of the element of a list that has a name."""
    for key in owned:
        if key.startswith("k:") and len(key) <= _KEY_LENGTH:
            try:
                found = json.loads(key.removeprefix("k:"))
            except (ValueError, RecursionError):
                continue
            if fields.text(found, "name") == called:
                return key
    return None


def _is_autoscaler(entry: Mapping[str, Any]) -> bool:
    return fields.text(entry, "subresource") == _SCALE and fields.text(entry, "manager") in _AUTOSCALERS


def _name(entry: Mapping[str, Any]) -> str:
    """Return the name of a field manager: of `kubectl scale` as of other commands of kubectl."""
    manager = one_line(name(fields.text(entry, "manager")), limits.EDIT_VALUE_BYTES)
    return "kubectl-scale" if manager == "kubectl" and fields.text(entry, "subresource") == _SCALE else manager


def _written_at(entry: Mapping[str, Any]) -> tuple[bool, datetime | None]:
    moment = fields.time(entry, "time")
    return moment is not None, moment


def _listed(texts: Sequence[str], limit: int, between: str) -> str:
    """Return the first texts in one line, with the number of the others."""
    left = len(texts) - limit
    shown = [one_line(each, limits.EDIT_FIELD_BYTES) for each in texts[:limit]]
    return between.join([*shown, *([f"{left} more"] if left > 0 else [])])
