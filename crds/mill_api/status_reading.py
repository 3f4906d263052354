"""Reading a stored `status` into the model, whatever it contains.

Only the operator writes it, but another release of the operator may have done so, since each can be rolled back to the
one before. People with the right to change the status can write whatever the schema accepts. So nothing in it is an
error: unknown words are kept (`status_words.Word`), and parts that do not fit are left out, as few as possible.
"""

from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError

from mill_api.status import MillDeploymentStatus

_MISSING: Final = "missing"
"""pydantic's name for the error of a required field that is missing."""
_ROUNDS: Final = 16
"""More than a status is deep: each round leaves out the parts that the previous one made incomplete."""


def read_status(stored: object) -> MillDeploymentStatus:
    """Return a status. A field that does not fit counts as missing; an element without a required field is left out.

    A status that cannot be read at all counts as empty.
    """
    try:
        return MillDeploymentStatus.model_validate(stored)
    except ValidationError as error:
        found = error
    rest = deepcopy(stored)
    for _ in range(_ROUNDS):
        _leave_out(rest, found)
        try:
            return MillDeploymentStatus.model_validate(rest)
        except ValidationError as error:
            found = error
    return MillDeploymentStatus()


def _leave_out(status: Any, error: ValidationError) -> None:
    """Remove the parts of a status that an error names."""
    places = {_place(each["type"], each["loc"]) for each in error.errors(include_url=False, include_input=False)}
    # From the end: removing an element of a list moves the later ones.
    for place in sorted(places, key=lambda place: [(isinstance(part, str), part) for part in place], reverse=True):
        if not place:
            continue
        *path, last = place
        holder = status
        for part in path:
            holder = holder[part]
        if isinstance(holder, dict):
            holder.pop(last, None)
        else:
            del holder[last]


def _place(kind: str, place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the part to remove: the whole object if it lacks a required field."""
    return place[:-1] if kind == _MISSING else place
