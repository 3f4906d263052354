"""Words, times and positions of a status, as its models have them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic_core import CoreSchema

LAST_SEQ: Final = 900_000
"""The last position of a transition of a service in a rollout."""
LONGEST_SETTLE_SECONDS: Final = 86_400
"""No release has a longer settling window."""
UNJUDGED_SEQ: Final = 1_000_000
"""The position of the failure that ends a rollout as a whole, after all transitions."""


def _time(text: str) -> str:
    """Refuse a text that is no time, and a time too far away for arithmetic."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1970 <= moment.year <= 9000:
        raise ValueError("expected a time with a zone between the years 1970 and 9000")
    return text


def _up_to(last: int) -> AfterValidator:
    """Return a validator that refuses positions outside of 0 to `last`: nothing may follow a rollout's last event."""

    def check(position: int) -> int:
        if not 0 <= position <= last:
            raise ValueError(f"expected a position from 0 to {last}")
        return position

    return AfterValidator(check)


def span(seconds: float) -> float:
    """Refuse a time span that no spec can ask for, and that may be too long for arithmetic."""
    if not 0 <= seconds <= LONGEST_SETTLE_SECONDS:
        raise ValueError(f"expected seconds from 0 to {LONGEST_SETTLE_SECONDS}")
    return seconds


# Checked when a status is read, not by the API server: it must store what another release writes.
Time = Annotated[str, AfterValidator(_time)]
Seq = Annotated[int, _up_to(LAST_SEQ)]
FailedSeq = Annotated[int, _up_to(UNJUDGED_SEQ)]


class Word(StrEnum):
    """One of several words. An unknown one, which a newer release wrote, is kept as it is.

    An unknown word equals its text, and no member. No schema lists the words: an API server with the schema of this
    release stores the status of the next one.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_, word._value_ = "UNKNOWN", str(value)
        return word

    @property
    def known(self) -> bool:
        """Whether this release knows the word."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of any text, with the words of this release as examples."""
        return {"type": "string", "examples": list(cls)}
