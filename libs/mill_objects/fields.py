"""Accessors of the fields of foreign objects. A field that is `null` or has another type counts as missing.

A projection uses only these, and so is total: it raises `Unreadable` for an object that cannot be identified, and
nothing else. One odd field does not make an object unreadable.
"""

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from mill_objects.json import JsonView
from mill_objects.key import Key

_NOTHING: Final[JsonView] = {}
_LARGEST: Final = 2**63 - 1
"""Kubernetes keeps whole numbers in 64 bits with a sign."""
_YEARS: Final = range(1970, 9000)
"""Years of valid times. Go writes an unset time as the year 1; and adding to a time must not overflow."""


class Unreadable(ValueError):
    """An object that cannot be identified. The message names the missing field, and contains nothing of the object."""


class Identity(NamedTuple):
    """The fields that identify an object and its version."""

    key: Key
    uid: str
    resource_version: str


def identity(body: object, *, namespaced: bool = True) -> Identity:
    """Return the identity of an object. Raises Unreadable without a name, a uid or a resource version."""
    meta = mapping(body, "metadata")
    needed = ("namespace", "name", "uid", "resourceVersion")
    found = {name: text(meta, name) for name in needed}
    for name in needed[0 if namespaced else 1 :]:
        if not found[name]:
            raise Unreadable(f"no metadata.{name}")
    key = Key(found["namespace"] if namespaced else "", found["name"])
    return Identity(key, found["uid"], found["resourceVersion"])


def parts(body: object) -> tuple[JsonView, JsonView, JsonView]:
    """Return metadata, spec and status of an object."""
    return mapping(body, "metadata"), mapping(body, "spec"), mapping(body, "status")


def deleted(body: object) -> bool:
    """Whether an object is being deleted."""
    return mapping(body, "metadata").get("deletionTimestamp") is not None


def created(body: object) -> datetime:
    """Return the creation time of an object. Raises Unreadable without one."""
    moment = time(mapping(body, "metadata"), "creationTimestamp")
    if moment is None:
        raise Unreadable("no metadata.creationTimestamp")
    return moment


def mapping(body: object, *path: str) -> JsonView:
    """Return the mapping at a path; an empty one if it is missing."""
    found = body
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else _NOTHING


def mappings(body: object, name: str) -> list[dict[str, Any]]:
    """Return the mappings in a list, without its other elements."""
    found = body.get(name) if isinstance(body, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def texts(body: object, name: str) -> dict[str, str]:
    """Return a mapping of texts to texts, such as labels, without its other values."""
    found = mapping(body, name)
    return {encodable(key): encodable(value) for key, value in found.items() if isinstance(value, str)}


def optional_text(body: object, name: str) -> str | None:
    """Return a text, which may be empty; None if it is missing."""
    found = body.get(name) if isinstance(body, dict) else None
    return encodable(found) if isinstance(found, str) else None


def text(body: object, name: str, default: str = "") -> str:
    """Return a text, or the default if it is missing."""
    found = optional_text(body, name)
    return default if found is None else found


def quantity(body: object, name: str) -> str:
    """Return a quantity, also one that is written as a number; an empty text if it is missing."""
    found = body.get(name) if isinstance(body, dict) else None
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) <= _LARGEST:
        return str(found)
    return repr(found) if isinstance(found, float) else text(body, name)


def optional_number(body: object, name: str) -> int | None:
    """Return a whole number of 64 bits, also one that is written as a text; None if it is missing."""
    found = body.get(name) if isinstance(body, dict) else None
    if isinstance(found, str) and len(found) <= 20 and found.isascii() and found.removeprefix("-").isdecimal():
        found = int(found)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) <= _LARGEST:
        return found
    return None


def number(body: object, name: str, default: int = 0) -> int:
    """Return a whole number, or the default if it is missing."""
    found = optional_number(body, name)
    return default if found is None else found


def flag(body: object, name: str) -> bool:
    """Whether a field is `true`; other values do not count."""
    return isinstance(body, dict) and body.get(name) is True


def time(body: object, name: str) -> datetime | None:
    """Return a time in UTC; None if it is missing or not in the form of RFC 3339."""
    return moment(optional_text(body, name))


def created_at(body: object) -> str:
    """Return the creation time of an object as it is written. Raises Unreadable without one."""
    created(body)
    return text(mapping(body, "metadata"), "creationTimestamp")


def time_text(body: object, name: str) -> str | None:
    """Return a time as it is written; None if it is missing or cannot be read."""
    written = optional_text(body, name)
    return None if moment(written) is None else written


def moment(written: str | None) -> datetime | None:
    """Read a time of RFC 3339, of any precision. None for any other text, and for years outside of the valid ones."""
    if not written or len(written) > 64:
        return None
    try:
        found = datetime.fromisoformat(written)
        if found.tzinfo is None or found.year not in _YEARS:
            return None
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def conditions(status: object) -> dict[str, JsonView]:
    """Return the conditions of an object by type; the last one of each type."""
    return {text(each, "type"): each for each in mappings(status, "conditions")}


def encodable(found: str) -> str:
    """Return a text that UTF-8 can encode: JSON may contain halves of surrogate pairs."""
    return found if found.isascii() else found.encode("utf-8", "replace").decode()
