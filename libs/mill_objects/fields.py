"""Reading fields of objects that others write: what is missing, `null` or of another type is as if it were not there.

A projection of an object is made of these and so is total: it raises `Unreadable`, where the object lacks what it is
known by, and nothing else. One odd field does not cost the object.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias

from mill_objects.key import Key

Json: TypeAlias = Mapping[str, Any]
"""An object, or a part of one."""

_NOTHING: Final[Json] = {}
_LARGEST: Final = 2**63 - 1
"""Kubernetes keeps whole numbers in 64 bits with a sign."""
_YEARS: Final = range(1970, 9000)
"""Of points in time. Go writes a time that was never set as the year 1; what is added to a time must not overflow."""


class Unreadable(ValueError):
    """An object that lacks what it is known by. The message names the field, and holds nothing of the object."""


class Identity(NamedTuple):
    """What every object has."""

    key: Key
    uid: str
    resource_version: str


def identity(body: object, *, namespaced: bool = True) -> Identity:
    """Return what an object is known by. Raise `Unreadable` without a name, a uid or a resource version."""
    meta = mapping(body, "metadata")
    needed = ("namespace", "name", "uid", "resourceVersion")
    found = {name: text(meta, name) for name in needed}
    for name in needed[0 if namespaced else 1 :]:
        if not found[name]:
            raise Unreadable(f"no metadata.{name}")
    key = Key(found["namespace"] if namespaced else "", found["name"])
    return Identity(key, found["uid"], found["resourceVersion"])


def parts(body: object) -> tuple[Json, Json, Json]:
    """Return an object's metadata, spec and status."""
    return mapping(body, "metadata"), mapping(body, "spec"), mapping(body, "status")


def deleted(body: object) -> bool:
    """Tell whether an object is being deleted."""
    return mapping(body, "metadata").get("deletionTimestamp") is not None


def created(body: object) -> datetime:
    """Return when an object was made. Raise `Unreadable` if it does not say so."""
    moment = time(mapping(body, "metadata"), "creationTimestamp")
    if moment is None:
        raise Unreadable("no metadata.creationTimestamp")
    return moment


def mapping(body: object, *path: str) -> Json:
    """Return the mapping at a path; an empty one if there is none."""
    found = body
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else _NOTHING


def mappings(body: object, name: str) -> list[dict[str, Any]]:
    """Return the mappings of a list; what else is in it is left out."""
    found = body.get(name) if isinstance(body, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def texts(body: object, name: str) -> dict[str, str]:
    """Return a mapping of texts to texts, such as labels and annotations; what else is in it is left out."""
    found = mapping(body, name)
    return {encodable(key): encodable(value) for key, value in found.items() if isinstance(value, str)}


def optional_text(body: object, name: str) -> str | None:
    """Return a text; None if there is none. An empty one is one."""
    found = body.get(name) if isinstance(body, dict) else None
    return encodable(found) if isinstance(found, str) else None


def text(body: object, name: str, default: str = "") -> str:
    """Return a text, or the default if there is none."""
    found = optional_text(body, name)
    return default if found is None else found


def quantity(body: object, name: str) -> str:
    """Return a quantity as it is written, which may be a number; empty if there is none."""
    found = body.get(name) if isinstance(body, dict) else None
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) <= _LARGEST:
        return str(found)
    return repr(found) if isinstance(found, float) else text(body, name)


def optional_number(body: object, name: str) -> int | None:
    """Return a whole number of 64 bits, which may be written as a text; None if there is none."""
    found = body.get(name) if isinstance(body, dict) else None
    if isinstance(found, str) and len(found) <= 20 and found.isascii() and found.removeprefix("-").isdecimal():
        found = int(found)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) <= _LARGEST:
        return found
    return None


def number(body: object, name: str, default: int = 0) -> int:
    """Return a whole number, or the default if there is none."""
    found = optional_number(body, name)
    return default if found is None else found


def flag(body: object, name: str) -> bool:
    """Tell whether a field is true, and not only something that counts as true."""
    return isinstance(body, dict) and body.get(name) is True


def time(body: object, name: str) -> datetime | None:
    """Return a point in time, in UTC; None if there is none, or if it is none of RFC 3339."""
    return moment(optional_text(body, name))


def created_at(body: object) -> str:
    """Return when an object was made, as it says it. Raises `Unreadable` if it does not."""
    created(body)
    return text(mapping(body, "metadata"), "creationTimestamp")


def time_text(body: object, name: str) -> str | None:
    """Return a point in time as it is written; None if there is none that can be read."""
    written = optional_text(body, name)
    return None if moment(written) is None else written


def moment(written: str | None) -> datetime | None:
    """Read a point in time of RFC 3339, of any precision. None: there is none, or none that can be counted with."""
    if not written or len(written) > 64:
        return None
    try:
        found = datetime.fromisoformat(written)
        if found.tzinfo is None or found.year not in _YEARS:
            return None
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def conditions(status: object) -> dict[str, Json]:
    """Return an object's conditions by their types; of several of one type the last."""
    return {text(each, "type"): each for each in mappings(status, "conditions")}


def encodable(found: str) -> str:
    """Return a text that UTF-8 can hold: JSON can have halves of characters in it."""
    return found if found.isascii() else found.encode("utf-8", "replace").decode()
