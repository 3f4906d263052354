"""A resource's `status` as somebody stored it → the model, whatever is in it.

The operator alone writes it, but of what release is not said: each can be rolled back to the one before. And whoever
may change the status by hand can write what the schema lets through. So nothing in it is an error: unknown words are
kept (`mill_api.status.Word`), and what does not fit is left out, as little of it as possible.
"""

from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError

from mill_api.status import MillDeploymentStatus

_MISSING: Final = "missing"
"""What pydantic calls the error of a field that has to be there."""
_ROUNDS: Final = 16
"""More than a status is deep: each round leaves out what the one before had made incomplete."""


def read_status(stored: object) -> MillDeploymentStatus:
    """Return a status. A field that does not fit counts as not there; an element without what it needs is left out.

    What cannot be read at all counts as empty.
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
    """Take out of a status what an error is about."""
    places = {_place(each["type"], each["loc"]) for each in error.errors(include_url=False, include_input=False)}
    # From the end: what is taken out of a list moves what comes after it.
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
    """Return what is to go: of something that lacks a field, the whole."""
    return place[:-1] if kind == _MISSING else place
