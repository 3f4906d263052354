"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902) on plain data. Nothing that is given is changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.apiserver.copies import copied


class PatchFailed(Exception):
    """An operation of a JSON patch that cannot be done, or a `test` that fails."""


def merge(target: Any, patch: Any) -> Any:
    """Return the target with a merge patch: maps are merged, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return copied(patch)
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def json_patch(target: Any, operations: Sequence[Mapping[str, Any]]) -> Any:
    """Return the target after all operations. Raise `PatchFailed` at the first that fails."""
    changed = copied(target)
    for operation in operations:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        holder = changed
        for part in way:
            holder = _child(holder, part, operation)
        _do(holder, last, operation)
    return changed


def _do(holder: Any, last: str, operation: Mapping[str, Any]) -> None:
    match operation["op"]:
        case "test":
            found = _child(holder, last, operation) if _has(holder, last) else None
            if found != operation.get("value"):
                raise PatchFailed(f"testing value {operation['path']} failed")
        case "add" if isinstance(holder, list):
            holder.insert(len(holder) if last == "-" else int(last), copied(operation["value"]))
        case "add" if isinstance(holder, dict):
            holder[last] = copied(operation["value"])
        case "replace":
            _child(holder, last, operation)
            holder[int(last) if isinstance(holder, list) else last] = copied(operation["value"])
        case "remove":
            _child(holder, last, operation)
            del holder[int(last) if isinstance(holder, list) else last]
        case other:
            raise NotImplementedError(f"{other} at {operation['path']}")


def _has(holder: Any, part: str) -> bool:
    if isinstance(holder, list):
        return part.isdigit() and int(part) < len(holder)
    return isinstance(holder, dict) and part in holder


def _child(holder: Any, part: str, operation: Mapping[str, Any]) -> Any:
    if not _has(holder, part):
        raise PatchFailed(f"{operation['op']} operation does not apply: missing path: {operation['path']}")
    return holder[int(part)] if isinstance(holder, list) else holder[part]
